//! From a hostile network through real probes' judging to every format.

use golive::model::text::acts;
use golive::report::{html, junit, markdown, summary, to_json};
use serde_json::json;

use crate::cases;
use crate::hostile::structure;

#[test]
fn what_a_hostile_network_says_is_harmless_everywhere() {
    let name = "CN=\u{1b}]0;owned\u{7}\u{1b}[31m\u{202e}<script>alert(1)</script>| [x](http://evil.example)";
    let banner = format!("<script>alert(2)</script>\r\n{}", "A".repeat(1 << 20));
    let banner = golive::model::WireText::from(banner.as_str());
    let ends = [
        json!({ "refused": { "phase": "connect", "code": "NetConnection.Connect.Rejected", "description": banner } }),
        json!({ "not_rtmp": { "protocol": "http", "first": banner } }),
    ];
    let policy = cases::load(cases::POLICY);
    for end in ends {
        let mut readings = cases::well();
        let hostile = [("ingest.primary", cases::rtmp(&end)), ("ingest.certificate", cases::tls(name))];
        readings.measurements.extend(cases::evidence(&hostile).measurements);
        let document = cases::document(&policy, &readings);
        assert_eq!(document.verdict.word.text(), "NO-GO");
        let shown = [html, markdown, junit, summary].map(|render| render(&document));
        for shown in shown.iter().chain([&to_json(&document).unwrap()]) {
            assert!(!shown.contains(|c| c != '\n' && acts(c)));
            assert!(shown.len() < 200_000);
        }
        let [page, ticket, xml, _] = &shown;
        assert!(page.contains("alert(2)"), "the evidence itself is shown");
        for marked_up in [page, ticket, xml] {
            assert!(!marked_up.contains("<script"), "{marked_up}");
        }
        structure(ticket, name);
    }
}
