//! What the schema says of a place in a policy: a secret, a name of something, or unknown.

use std::sync::LazyLock;

use serde_json::Value;

use super::schema::schema;

/// The schema of a policy file, asked about places.
#[derive(Debug)]
pub(super) struct Shape(Value);

/// The one shape of this binary's policies.
pub(super) static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape(schema()));

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// No such key is known.
    Unknown,
    /// A secret, or part of one.
    Secret,
    /// A value of the type with this name in the schema, such as `Role`.
    Typed(&'a str),
    /// Anything else.
    Plain,
}

/// Deepest place that is looked up; the schema itself is shallower.
const MAX_DEPTH: usize = 16;

impl Shape {
    /// What stands at `path`.
    pub fn meaning(&self, path: &[String]) -> Meaning<'_> {
        if path.len() > MAX_DEPTH {
            return Meaning::Unknown;
        }
        let mut nodes = vec![&self.0];
        for key in path {
            let open = self.open(&nodes);
            if open.iter().any(|(_, name)| *name == Some("SecretSource")) {
                return Meaning::Secret;
            }
            nodes = open.iter().filter_map(|(node, _)| step(node, key)).collect();
            if nodes.is_empty() {
                return Meaning::Unknown;
            }
        }
        let names: Vec<&str> = self.open(&nodes).into_iter().filter_map(|(_, name)| name).collect();
        match names.as_slice() {
            names if names.contains(&"SecretSource") => Meaning::Secret,
            [name, ..] => Meaning::Typed(name),
            [] => Meaning::Plain,
        }
    }

    /// Follows references and alternatives; each node with the name that it was reached by.
    fn open<'a>(&'a self, nodes: &[&'a Value]) -> Vec<(&'a Value, Option<&'a str>)> {
        let mut todo: Vec<(&Value, Option<&str>)> = nodes.iter().map(|node| (*node, None)).collect();
        let mut open = Vec::new();
        while let Some((node, name)) = todo.pop() {
            // A schema that refers to itself would go round for ever.
            if open.len() > 64 {
                break;
            }
            open.push((node, name));
            for word in ["anyOf", "oneOf", "allOf"] {
                todo.extend(node[word].as_array().into_iter().flatten().map(|node| (node, name)));
            }
            if let Some(reference) = node["$ref"].as_str() {
                let name = reference.rsplit('/').next();
                todo.extend(name.map(|name| (&self.0["$defs"][name], Some(name))));
            }
        }
        open
    }
}

/// One key down.
fn step<'a>(node: &'a Value, key: &str) -> Option<&'a Value> {
    let patterns = node["patternProperties"].as_object().and_then(|patterns| patterns.values().next());
    let found = [node["properties"].get(key), patterns, Some(&node["additionalProperties"])];
    let items = key.parse::<usize>().ok().map(|_| &node["items"]);
    found.into_iter().flatten().chain(items).find(|node| node.is_object())
}
