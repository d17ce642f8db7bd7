//! Sources and where they stand.

use std::fs;
use std::path::Path;

use super::tokens;

/// One source file.
pub struct Source {
    /// Path from the package's root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Whether it is declared under `#[cfg(test)]`.
    for_tests: bool,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), for_tests: false }
    }

    /// Names of its module from the crate's root: `src/net/dial.rs` and `src/net/dial/mod.rs` are
    /// `net`, `dial`; `src/lib.rs` is none, `src/main.rs` is `main`.
    pub fn module(&self) -> Vec<&str> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let mut names: Vec<&str> = inside.strip_suffix(".rs").unwrap_or(inside).split('/').collect();
        if matches!(names.last(), Some(&("mod" | "lib"))) {
            names.pop();
        }
        names
    }

    /// Whether it is for tests only, by its name or its declaration.
    pub fn is_test(&self) -> bool {
        self.for_tests || self.module().contains(&"tests")
    }
}

/// Marks the files of modules that are declared under `#[cfg(test)]`.
pub fn mark_tests(sources: &mut [Source]) {
    let mut marked: Vec<Vec<String>> = Vec::new();
    for source in sources.iter() {
        for name in tokens::test_modules(&tokens::read(&source.text)) {
            marked.push(source.module().into_iter().map(str::to_owned).chain([name]).collect());
        }
    }
    for source in sources {
        source.for_tests = marked.iter().any(|marked| {
            let module = source.module();
            module.len() >= marked.len() && marked.iter().zip(module).all(|(marked, name)| marked == name)
        });
    }
}

/// Every `.rs` file below a folder, in order.
pub fn below(root: &Path, folder: &str) -> Vec<Source> {
    let mut entries: Vec<_> = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(root, &path));
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
            found.push(Source::new(&path, &fs::read_to_string(root.join(&path)).unwrap()));
        }
    }
    found
}
