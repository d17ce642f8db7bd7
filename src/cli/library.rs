//! The policies that the binary carries: what each is, and its text.

use std::io::{self, Write};

use crate::policy::{self, BUILTINS};

/// Writes each name with the sentence that its file begins with.
pub(super) fn list(out: &mut impl Write) -> io::Result<()> {
    let width = BUILTINS.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, text) in BUILTINS {
        writeln!(out, "{name:width$}  {}", about(text))?;
    }
    writeln!(
        out,
        "\n`golive policy show NAME` prints one; a policy builds on it by extends = [\"builtin:NAME\", …]; \
         `golive init` writes a policy that does."
    )
}

/// The text of the policy with this name; its last part will do.
pub(super) fn find(name: &str) -> Result<&'static str, String> {
    let asked = name.strip_prefix("builtin:").unwrap_or(name);
    let asked = asked.strip_suffix(".toml").unwrap_or(asked);
    let last = |known: &str| known.rsplit('/').next() == Some(asked);
    let found = BUILTINS.iter().find(|(known, _)| *known == asked || last(known));
    found.map(|(_, text)| *text).ok_or_else(|| {
        let known =
            BUILTINS.iter().flat_map(|(known, _)| [*known, known.rsplit('/').next().unwrap_or(known)]);
        let help = policy::hint(asked, known).unwrap_or_else(|| "`golive policy list` names them".to_owned());
        format!("golive carries no policy `{name}`; {help}")
    })
}

/// The first sentence of the comment at its head.
fn about(text: &str) -> String {
    let comment = text.lines().skip(1).map_while(|line| line.strip_prefix('#')).map(str::trim);
    let words: Vec<&str> = comment.take_while(|line| !line.is_empty()).collect();
    let words = words.join(" ");
    words.split_once([':', '.'].as_slice()).map_or(words.as_str(), |(first, _)| first).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_says_what_it_is() {
        for (name, text) in BUILTINS {
            let about = about(text);
            assert!((8..=100).contains(&about.chars().count()), "{name}: {about}");
        }
    }

    #[test]
    fn the_last_part_of_a_name_will_do() {
        let whole = find("platforms/youtube").unwrap();
        for name in ["youtube", "builtin:platforms/youtube", "platforms/youtube.toml"] {
            assert_eq!(find(name), Ok(whole));
        }
        assert!(find("yuotube").unwrap_err().contains("did you mean `youtube`?"));
    }
}
