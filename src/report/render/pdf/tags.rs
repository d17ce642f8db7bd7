//! What each part of a page is, for those who hear the report and for those who take text out of
//! it: the structure tree of tagged PDF (ISO 32000-1, 14.7).

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagTree};

/// A part of the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part(usize);

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Parts that belong together.
    Section,
    /// A heading: its level from 1, its words.
    Heading(u16, String),
    /// A paragraph.
    Paragraph,
    /// A list of [`Role::Item`]s.
    List,
    /// One entry.
    Item,
    /// A table of [`Role::Row`]s.
    Table,
    /// A row of cells.
    Row,
    /// The cell that says what stands below it.
    HeadCell,
    /// A cell.
    Cell,
    /// A picture, and what it shows in words.
    Figure(String),
}

/// The structure, as far as it is made.
pub struct Tags(Vec<Entry>);

struct Entry {
    role: Role,
    within: Vec<Within>,
}

enum Within {
    Part(Part),
    Content(Identifier),
}

impl Tags {
    /// The whole document.
    pub const ROOT: Part = Part(0);

    /// With nothing but the root.
    pub fn new() -> Self {
        Self(vec![Entry { role: Role::Section, within: Vec::new() }])
    }

    /// A new part at the end of another.
    pub fn add(&mut self, within: Part, role: Role) -> Part {
        let part = Part(self.0.len());
        self.0.push(Entry { role, within: Vec::new() });
        self.put(within, Within::Part(part));
        part
    }

    /// What was drawn of a part.
    pub fn drawn(&mut self, part: Part, content: Identifier) {
        self.put(part, Within::Content(content));
    }

    fn put(&mut self, part: Part, within: Within) {
        if let Some(entry) = self.0.get_mut(part.0) {
            entry.within.push(within);
        }
    }

    /// As krilla writes it.
    pub fn tree(mut self) -> TagTree {
        let mut tree = TagTree::new();
        tree.push(self.group(Self::ROOT));
        tree
    }

    fn group(&mut self, part: Part) -> TagGroup {
        let Some(entry) = self.0.get_mut(part.0) else { return TagGroup::new(Tag::Section) };
        let within = std::mem::take(&mut entry.within);
        let role = std::mem::replace(&mut entry.role, Role::Section);
        let children: Vec<Node> = within
            .into_iter()
            .map(|within| match within {
                Within::Part(part) => self.group(part).into(),
                Within::Content(content) => content.into(),
            })
            .collect();
        match role {
            Role::Section => TagGroup::with_children(Tag::Section, children),
            Role::Heading(level, title) => {
                let level = NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
                TagGroup::with_children(Tag::Hn(level, Some(title)), children)
            }
            Role::Paragraph => TagGroup::with_children(Tag::P, children),
            Role::List => TagGroup::with_children(Tag::L(ListNumbering::None), children),
            Role::Item => {
                let body = TagGroup::with_children(Tag::LBody, children);
                TagGroup::with_children(Tag::LI, vec![body.into()])
            }
            Role::Table => TagGroup::with_children(Tag::Table, children),
            Role::Row => TagGroup::with_children(Tag::TR, children),
            Role::HeadCell => TagGroup::with_children(Tag::TH(TableHeaderScope::Column), children),
            Role::Cell => TagGroup::with_children(Tag::TD, children),
            Role::Figure(alt) => TagGroup::with_children(Tag::Figure(Some(alt)), children),
        }
    }
}
