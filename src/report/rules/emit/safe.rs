//! Text on its way into a configuration: only characters that no vendor's parser acts on.

/// Free text for a comment or description, at most `max` characters: letters and digits of
/// ASCII, spaces and `.,:/@()+=_-`. Quotes are dropped, a semicolon becomes a comma, white space one
/// space, anything else `_`. Left out on purpose: quotes and backslashes, `$` and backquotes (PowerShell, shell), `!` (comment of
/// ASA), `#` (comment elsewhere), `?` (asks for help on a console), `;{}[]<>|&%`, and all that
/// acts on a terminal.
pub fn text(raw: &str, max: usize) -> String {
    let mut out = String::new();
    for c in raw.chars() {
        match c {
            c if c.is_whitespace() => {
                if !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
            }
            '\'' | '"' | '’' => {}
            ';' => out.push(','),
            c if c.is_ascii_alphanumeric() || ".,:/@()+=_-".contains(c) => out.push(c),
            _ => out.push('_'),
        }
        if out.len() >= max {
            break;
        }
    }
    out.truncate(max);
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_comment_cannot_become_a_command() {
        let hostile = "a\"; }\nadd rule inet filter forward accept # \u{1b}[31m $(reboot) `x` 'y' ü?";
        assert_eq!(text(hostile, 200), "a, _ add rule inet filter forward accept _ __31m _(reboot) _x_ y __");
    }

    proptest! {
        #[test]
        fn any_text_is_short_and_plain(raw in any::<String>(), max in 1_usize..300) {
            let text = text(&raw, max);
            prop_assert!(text.len() <= max);
            prop_assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || " .,:/@()+=_-".contains(c)));
        }
    }
}
