//! Rust's words, as far as paths need them: comments, texts, characters and lifetimes are gone.

/// What stands in the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// An identifier or keyword.
    Name(String),
    /// `::`
    Join,
    /// Any other sign, one character each; numbers and texts are `0`.
    Sign(char),
}

/// A word and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub word: Word,
    pub line: usize,
}

impl Token {
    pub fn is(&self, sign: char) -> bool {
        self.word == Word::Sign(sign)
    }

    pub fn is_name(&self, name: &str) -> bool {
        self.name() == Some(name)
    }

    pub fn name(&self) -> Option<&str> {
        match &self.word {
            Word::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// Splits a source into words.
pub fn read(text: &str) -> Vec<Token> {
    let mut reader = Reader { rest: text.chars().collect::<Vec<_>>(), at: 0, line: 1, out: Vec::new() };
    while reader.at < reader.rest.len() {
        reader.step();
    }
    reader.out
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    line: usize,
    out: Vec<Token>,
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.rest.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn next(&mut self) -> char {
        let c = self.peek(0);
        self.at += 1;
        self.line += usize::from(c == '\n');
        c
    }

    fn push(&mut self, word: Word) {
        self.out.push(Token { word, line: self.line });
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => while self.at < self.rest.len() && self.next() != '\n' {},
            ('/', '*') => self.block_comment(),
            ('"', _) => self.text(),
            ('\'', _) => self.character_or_lifetime(),
            (':', ':') => {
                self.at += 2;
                self.push(Word::Join);
            }
            (c, _) if starts_name(c) => self.name(),
            (c, _) if c.is_ascii_digit() => {
                // `1.5` is two numbers and a dot here, which no rule minds.
                while in_name(self.peek(0)) {
                    self.at += 1;
                }
                self.push(Word::Sign('0'));
            }
            (c, _) => {
                self.next();
                if !c.is_whitespace() {
                    self.push(Word::Sign(c));
                }
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.rest.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => (depth, self.at) = (depth + 1, self.at + 2),
                ('*', '/') => (depth, self.at) = (depth - 1, self.at + 2),
                _ => {
                    self.next();
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn text(&mut self) {
        self.push(Word::Sign('0'));
        self.next();
        while self.at < self.rest.len() {
            match self.next() {
                '\\' => {
                    self.next();
                }
                '"' => return,
                _ => {}
            }
        }
    }

    /// `'a'`, `'\n'`, `'\u{1b}'` or the lifetime `'a`.
    fn character_or_lifetime(&mut self) {
        if self.peek(1) == '\\' {
            self.at += 3; // quote, backslash and what it escapes
            while self.at < self.rest.len() && self.next() != '\'' {}
        } else if self.peek(2) == '\'' {
            self.next();
            self.next();
            self.next();
        } else {
            self.at += 1;
            while in_name(self.peek(0)) {
                self.at += 1;
            }
        }
        self.push(Word::Sign('0'));
    }

    /// A name, a raw name (`r#type`), or the prefix of a text (`b"`, `r#"`, `br"`, `c"`).
    fn name(&mut self) {
        let from = self.at;
        while in_name(self.peek(0)) {
            self.at += 1;
        }
        let name: String = self.rest[from..self.at].iter().collect();
        let prefix = matches!(name.as_str(), "r" | "b" | "br" | "c" | "cr");
        let behind = self.rest.get(self.at..).unwrap_or_default();
        let hashes = behind.iter().take_while(|c| **c == '#').count();
        match self.peek(hashes) {
            '"' if prefix && name.contains('r') => self.raw_text(hashes),
            '"' if prefix && hashes == 0 => self.text(),
            '\'' if name == "b" && hashes == 0 => self.character_or_lifetime(),
            c if name == "r" && hashes == 1 && starts_name(c) => {
                self.at += 1;
                self.name();
            }
            _ => self.push(Word::Name(name)),
        }
    }

    fn raw_text(&mut self, hashes: usize) {
        self.push(Word::Sign('0'));
        self.at += hashes + 1;
        while self.at < self.rest.len() {
            if self.next() == '"' && (0..hashes).all(|ahead| self.peek(ahead) == '#') {
                self.at += hashes;
                return;
            }
        }
    }
}

/// The same without what stands under `#[cfg(test)]`.
pub fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_cfg_test(&tokens[at..]) {
            at = end_of_item(tokens, at + 7);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Names of the modules that are declared under `#[cfg(test)]` and have a file.
pub fn test_modules(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    for at in (0..tokens.len()).filter(|&at| is_cfg_test(&tokens[at..])) {
        let item = &tokens[at + 7..end_of_item(tokens, at + 7)];
        if let [.., word, name, end] = item
            && word.is_name("mod")
            && end.is(';')
        {
            found.extend(name.name().map(str::to_owned));
        }
    }
    found
}

fn is_cfg_test(tokens: &[Token]) -> bool {
    let [hash, open, cfg, paren, test, unparen, close, ..] = tokens else { return false };
    hash.is('#')
        && open.is('[')
        && cfg.is_name("cfg")
        && paren.is('(')
        && test.is_name("test")
        && unparen.is(')')
        && close.is(']')
}

/// Behind the item that begins at `at`: behind its `;`, or behind its block.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match &token.word {
            Word::Sign('{' | '(' | '[') => depth += 1,
            Word::Sign('}') if depth == 1 => return at,
            Word::Sign('}' | ')' | ']') => depth = depth.saturating_sub(1),
            Word::Sign(';') if depth == 0 => return at,
            _ => {}
        }
    }
    at
}
