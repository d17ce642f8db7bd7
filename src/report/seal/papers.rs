//! The paper beside a report: whether it is that report's.

use std::io::Read as _;

use super::{Bundle, Problem, Standing};
use crate::report::{Filed, MAX_BYTES, html_of, line, pdf};

/// The files for people that lie beside a report, as far as they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Papers {
    /// The PDF's bytes.
    pub pdf: Option<Vec<u8>>,
    /// The page's bytes.
    pub html: Option<Vec<u8>>,
}

/// Holds the paper against the report: the PDF carries it byte for byte, the page states its digest.
/// Pages may have been made before somebody decided, or by another golive: that is said only.
pub fn papers(mut standing: Standing, bundle: &Bundle, papers: &Papers) -> Standing {
    let mut other = |ending: &str| {
        let (file, of) = (line(&bundle.names.beside(ending)), standing.file.clone());
        standing.problems.push(Problem::OtherPaper { file, of });
    };
    if papers.pdf.as_ref().is_some_and(|pdf| !carries(pdf, &bundle.report)) {
        other("pdf");
    }
    let digest = super::sha256(&bundle.report);
    if papers.html.as_ref().is_some_and(|html| !holds(html, digest.as_bytes())) {
        other("html");
    }
    let old = old(&standing, bundle, papers);
    standing.notes.extend(old);
    standing
}

/// Paper of this report whose pages are not those that are made of it now.
fn old(standing: &Standing, bundle: &Bundle, papers: &Papers) -> Vec<String> {
    let Some(document) = standing.document.as_ref().filter(|_| standing.problems.is_empty()) else {
        return Vec::new();
    };
    let forms = [
        Filed::alone(document, &bundle.report),
        Filed { document, bytes: &bundle.report, signed: &standing.signed, refused: &[] },
    ];
    let html = |html: &Vec<u8>| forms.iter().any(|filed| html_of(filed).as_bytes() == html);
    let paper = |bytes: &Vec<u8>| forms.iter().any(|filed| pdf(filed).is_ok_and(|made| made == *bytes));
    let mut old = Vec::new();
    if papers.html.as_ref().is_some_and(|bytes| !html(bytes)) {
        old.push("html");
    }
    if papers.pdf.as_ref().is_some_and(|bytes| !paper(bytes)) {
        old.push("pdf");
    }
    let said = |ending: &str| {
        format!(
            "{} is not the page that this golive makes of the report and its decisions: do not rely on it before \
             `golive report` --format {ending} has made it anew",
            line(&bundle.names.beside(ending))
        )
    };
    old.into_iter().map(said).collect()
}

/// Whether every file in a PDF is this one, and there is one.
fn carries(pdf: &[u8], report: &[u8]) -> bool {
    const MARK: &[u8] = b"/EmbeddedFile";
    let mut found = false;
    let places = pdf.windows(MARK.len()).enumerate().filter(|(_, part)| *part == MARK);
    for (at, _) in places {
        let (before, after) =
            (pdf.get(..at).unwrap_or_default(), pdf.get(at + MARK.len()..).unwrap_or_default());
        // /EmbeddedFiles is the list of their names
        if after.first().is_some_and(u8::is_ascii_alphanumeric) {
            continue;
        }
        if content(before, after).as_deref() != Some(report) {
            return false;
        }
        found = true;
    }
    found
}

/// The content of the stream in whose dictionary we stand, as golive writes it.
fn content(before: &[u8], after: &[u8]) -> Option<Vec<u8>> {
    let opens = before.windows(4).rposition(|part| part == b" obj")?;
    let starts = after.windows(6).position(|part| part == b"stream")?;
    let dictionary = [before.get(opens..)?, after.get(..starts)?].concat();
    let body = after.get(starts + 6..)?;
    let body = body.strip_prefix(b"\r\n").or_else(|| body.strip_prefix(b"\n"))?;
    let length = dictionary.windows(8).position(|part| part == b"/Length ")?;
    let digits: String = dictionary
        .get(length + 8..)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .map(|byte| char::from(*byte))
        .collect();
    let body = body.get(..digits.parse().ok()?)?;
    if !holds(&dictionary, b"/Filter") {
        return Some(body.to_vec());
    }
    let mut content = Vec::new();
    // what is no zlib stream gives an error, and so does one that is cut short
    flate2::read::ZlibDecoder::new(body).take(MAX_BYTES + 1).read_to_end(&mut content).ok()?;
    Some(content)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "1 0 obj\n<</Length 2/Type/EmbeddedFile>>\nstream\n{}\nendstream\nendobj\n";

    #[test]
    fn only_the_very_file_is_carried() {
        assert!(carries(HEAD.as_bytes(), b"{}"));
        assert!(!carries(HEAD.as_bytes(), b"{ }"));
        let two = HEAD.to_owned() + &HEAD.replace("{}", "[]");
        assert!(!carries(two.as_bytes(), b"{}"), "a second file is another");
        for none in [
            "",
            "%PDF-1.7\n%%EOF\n",
            "/EmbeddedFile",
            "1 0 obj /EmbeddedFile /Length 9 stream\n{}",
            "/EmbeddedFiles",
        ] {
            assert!(!carries(none.as_bytes(), b"{}"), "{none}");
        }
    }
}
