//! Address families, and methods that take another's place, each by itself.

use super::*;

#[test]
fn handshakes_tell_delay_and_no_more_than_they_can() {
    let instead = Some(InsteadOf { method: "STAMP over UDP".into(), why: "nothing came back".into() });
    let tcp =
        Flow { method: Method::Tcp, sent: 50, planned: 50, received: 50, instead_of: instead, ..flow() };
    let found = codes(&all(1000.0), &reading(vec![tcp.clone()]));
    let unknown = ("path.not_told".to_owned(), Effect::Unknown);
    assert_eq!(found[1], ("path.other_method".to_owned(), Effect::Warn));
    assert_eq!(
        found.iter().filter(|found| **found == unknown).count(),
        3,
        "bursts, order, duplicates: {found:?}"
    );
    let loss = |limit| Limits { loss_percent: Some(AtMost(limit)), ..Limits::default() };
    assert_eq!(codes(&loss(0.5), &reading(vec![tcp.clone()]))[2], unknown, "50 handshakes cannot show 0.5 %");
    assert_eq!(codes(&loss(2.0), &reading(vec![tcp.clone()]))[2].0, "path.loss");
    // Beside STAMP that got nothing, they are no other address family.
    let blocked = Flow { arrived: Some(0), ..silent() };
    let found = codes(&Limits::default(), &reading(vec![blocked, tcp]));
    assert_eq!(found[0], ("path.blocked_out".to_owned(), Effect::Fail));
}

#[test]
fn families_are_judged_apart() {
    let six = |flow: Flow| Flow {
        contact: Contact { remote: "[2001:db8::1]:8443".parse().unwrap(), ..flow.contact },
        ..flow
    };
    let found = codes(&Limits::default(), &reading(vec![flow(), six(silent())]));
    assert_eq!(found[1], ("path.silent".to_owned(), Effect::Warn));
    let trouble = Some(Trouble { failure: Failure::NetUnreachable, detail: "words".into() });
    let found = codes(&Limits::default(), &reading(vec![flow(), six(Flow { trouble, sent: 0, ..silent() })]));
    assert_eq!(found[1], ("path.family_unused".to_owned(), Effect::Pass));
    let unasked = Unasked { remote: "[2001:db8::1]:8443".parse().unwrap(), why: "refused".into() };
    let alone = Reading { unasked: vec![unasked.clone()], ..reading(vec![silent()]) };
    assert_eq!(codes(&Limits::default(), &alone), [("path.silent".to_owned(), Effect::Fail)]);
    let found = codes(&Limits::default(), &Reading { unasked: vec![unasked], ..reading(vec![flow()]) });
    assert_eq!(found[1], ("path.family_unused".to_owned(), Effect::Pass));
}
