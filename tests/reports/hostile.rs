//! Text that wants to act, in every text of a document: harmless in every format. The document
//! may be forged, so it is not enough that readings escape what they take from the network.

use golive::report::v1::Document;
use golive::report::{html, junit, markdown, policy_digest, read, summary, to_json};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};

use crate::samples;

/// A certificate's name, an RTMP error, a banner, a cell, a sentence: as an attacker writes them.
fn payloads() -> Vec<String> {
    vec![
        "CN=\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m\u{9b}1mGO\u{7f}\u{8}".into(),
        "<script>alert(1)</script><img src=x onerror=alert(1)><style>*{display:none}</style>".into(),
        "x\" onmouseover=\"alert(1)\" y='z".into(),
        "B".repeat(1 << 20),
        "<".repeat(5000),
        "a\n# GO\n\n| GO | GO |\n|---|---|\n| x | y |\n> q\n- l\n```\n[c](javascript:alert(1)) ![i](http://evil.example/x)".into(),
        "<http://evil.example> https://evil.example www.evil.example a@evil.example @all".into(),
        "``` `x` *b* _i_ ~~s~~ **GO** &#x202e;&lt;script&gt; \\<b> $x$ {{x}} :tada:".into(),
        "=cmd|' /C calc'!A0".into(),
        "\u{202e}OG\u{2066}ON\u{200b}\u{feff}\u{e0041}".into(),
        "]]></failure></testcase><testcase name=\"forged\"/><!-- \u{fffe}\u{ffff} -->".into(),
        "\0\u{1}\u{b}\r\n\t".into(),
    ]
}

/// Puts `text` into every text of a document that anything but a name may stand in.
pub fn poison(document: &mut Document, text: &str) {
    let set = |field: &mut String| text.clone_into(field);
    let set_some = |field: &mut Option<String>| *field = Some(text.to_owned());
    for field in
        [&mut document.golive, &mut document.run.id, &mut document.run.platform, &mut document.event.title]
    {
        set(field);
    }
    let event = &mut document.event;
    for field in [&mut event.venue, &mut event.objective, &mut event.change, &mut event.way_back] {
        set_some(field);
    }
    if let Some(authorisation) = &mut document.authorisation {
        set_some(&mut authorisation.reference);
    }
    document.verdict.reasons.iter_mut().for_each(|reason| set(&mut reason.text));
    document.people.values_mut().for_each(set);
    document.accountable.iter_mut().for_each(|entry| set_some(&mut entry.name));
    document.streams.iter_mut().for_each(|stream| set(&mut stream.to));
    document.not_asked.iter_mut().for_each(|kind| {
        set(&mut kind.probe);
        set(&mut kind.asks);
    });
    document.codes.values_mut().for_each(set);
    for entry in &mut document.waivers {
        set(&mut entry.waiver.reason);
        set_some(&mut entry.waiver.compensating);
        set_some(&mut entry.approver);
    }
    for check in &mut document.checks {
        for field in [
            &mut check.probe,
            &mut check.target,
            &mut check.why,
            &mut check.asks,
            &mut check.misleads,
            &mut check.viewers,
        ] {
            set(field);
        }
        for finding in &mut check.findings {
            set(&mut finding.expected);
            set(&mut finding.observed);
            set(&mut finding.remedy);
        }
        check.limits.iter_mut().for_each(|row| {
            set(&mut row.field);
            set(&mut row.bound);
        });
        if let Some(waiver) = &mut check.waiver {
            set(&mut waiver.reason);
        }
        if let Some(measured) = &mut check.measured {
            set_some(&mut measured.source.interface);
        }
        if let Some(not) = &mut check.not_measured {
            set(&mut not.detail);
            set(&mut not.remedy);
        }
        if check.reading.is_some() {
            let contact = json!({ "remote": text, "local": text, "offset_ms": 0.0, "took_ms": 1.0 });
            check.reading = Some(json!({ text: [text, contact], "method": text }));
        }
        check.series.iter_mut().for_each(|series| {
            set(&mut series.title);
            set(&mut series.unit);
        });
    }
    document.policy.layers.iter_mut().for_each(|layer| {
        set(&mut layer.name);
        set(&mut layer.sha256);
    });
    document.policy.resolved = json!({ "title": text });
    document.policy.sha256 = policy_digest(&document.policy.resolved);
}

/// Every payload in the two documents that between them hold everything that a document can.
pub fn poisoned() -> impl Iterator<Item = (Document, String)> {
    payloads().into_iter().flat_map(|text| {
        [samples::conditional(), samples::no_go()].map(|mut document| {
            poison(&mut document, &text);
            (document, text.clone())
        })
    })
}

/// No character but the line feed acts on a terminal or on the order of text.
fn assert_inert(shown: &str) {
    if let Some(c) = shown.chars().find(|c| *c != '\n' && golive::model::text::acts(*c)) {
        panic!("{c:?} came through");
    }
}

/// The elements of a page, in order: every `<` of the page must begin one that golive writes.
fn elements(page: &str) -> Vec<String> {
    const OURS: &str = "html head meta title style body main footer header section article div span p h1 h2 h3 \
         dl dt dd table caption thead tbody tr th td ul li a code pre strong br wbr details summary figure \
         figcaption svg path circle polyline polygon text !DOCTYPE";
    const ATTRIBUTES: &str = "lang charset http-equiv content name class id href scope viewBox role aria-label \
         aria-hidden points d cx cy r x y text-anchor html";
    let mut found = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap();
        let name = tag.split(' ').next().unwrap();
        assert!(OURS.split_whitespace().any(|ours| ours == name.trim_start_matches('/')), "<{tag}>");
        for (at, piece) in tag.split('"').enumerate().filter(|(at, _)| at % 2 == 0) {
            let names = piece.split([' ', '=']).filter(|word| !word.is_empty());
            for word in names.skip(usize::from(at == 0)) {
                assert!(ATTRIBUTES.split_whitespace().any(|ours| ours == word), "{word} in <{tag}>");
            }
        }
        for (_, value) in tag.match_indices("href=\"").map(|(at, key)| (at, &tag[at + key.len()..])) {
            assert!(value.starts_with('#'), "<{tag}>");
        }
        found.push(name.to_owned());
    }
    found
}

#[test]
fn terminal() {
    for (document, _) in poisoned() {
        let shown = summary(&document);
        assert_inert(&shown);
        assert!(shown.len() < 200_000, "{}", shown.len());
        let word = document.verdict.word.text();
        assert!(shown.starts_with(word), "{shown}");
    }
}

#[test]
fn html_page() {
    for (document, text) in poisoned() {
        let page = html(&document);
        assert_inert(&page);
        assert!(page.len() < 2_000_000, "{}", page.len());
        assert!(page.contains("default-src 'none'"), "no content security policy");
        let found = elements(&page);
        let mut tame = document;
        poison(&mut tame, &text.replace(['<', '>', '"', '&'], "("));
        assert_eq!(found, elements(&html(&tame)), "text made elements of its own: {text:.80}");
    }
}

#[test]
fn markdown_ticket() {
    for (document, text) in poisoned() {
        let shown = markdown(&document);
        assert_inert(&shown);
        assert!(shown.len() < 400_000, "{}", shown.len());
        let structure = structure(&shown, &text);
        let mut tame = document;
        poison(&mut tame, "tame");
        assert_eq!(structure, self::structure(&markdown(&tame), "tame"), "{text:.80}");
    }
}

/// Everything but text and code, as a reader of `CommonMark` with tables sees it; HTML, links
/// and images are none of ours.
pub fn structure(shown: &str, text: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut found = Vec::new();
    for event in Parser::new_ext(shown, options) {
        match event {
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::Rule
            | Event::Start(
                Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::Emphasis
                | Tag::Strikethrough
                | Tag::BlockQuote(_)
                | Tag::CodeBlock(_),
            ) => panic!("{event:?} from {text:.80}"),
            Event::Start(
                Tag::Heading { .. }
                | Tag::Table(_)
                | Tag::TableRow
                | Tag::TableCell
                | Tag::Item
                | Tag::Strong,
            ) => found.push(format!("{event:?}")),
            _ => {}
        }
    }
    found
}

#[test]
fn junit_xml() {
    for (document, text) in poisoned() {
        let xml = junit(&document);
        assert_inert(&xml);
        assert!(!xml.contains(['\u{fffe}', '\u{ffff}']), "not XML 1.0");
        let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
        let cases = &read.test_suites[0].test_cases;
        assert_eq!(cases.len(), document.checks.len() + 1, "text made a test case: {text:.80}");
        for (case, check) in cases[1..].iter().zip(&document.checks) {
            assert_eq!(case.name.as_str(), check.id.as_str());
        }
    }
}

#[test]
fn stored_json() {
    for (document, _) in poisoned().filter(|(_, text)| text.len() < 10_000) {
        let stored = to_json(&document).unwrap();
        assert_inert(&stored);
        assert_eq!(read(stored.as_bytes()).unwrap(), document, "the text itself is kept");
        let _: Value = serde_json::from_str(&stored).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_makes_no_element_of_its_own(text in any::<String>(), which in 0..4_usize) {
        let mut document = samples::all()[which].1.clone();
        poison(&mut document, &text);
        assert_inert(&html(&document));
        let found = elements(&html(&document));
        structure(&markdown(&document), &text);
        quick_junit::Report::deserialize_from_str(&junit(&document)).unwrap();
        assert_inert(&summary(&document));
        poison(&mut document, &text.replace(['<', '>', '"', '&'], "("));
        prop_assert_eq!(found, elements(&html(&document)));
    }
}
