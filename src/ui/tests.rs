use super::*;

#[test]
fn the_user_s_word_wins_then_the_terminal() {
    for (plain, json, terminal, term, mode) in [
        (false, false, true, Some("xterm-256color"), Mode::Tui),
        (true, false, true, Some("xterm"), Mode::Plain),
        (false, true, true, Some("xterm"), Mode::Json),
        (true, true, true, Some("xterm"), Mode::Json),
        (false, false, false, Some("xterm"), Mode::Plain),
        (false, false, true, Some("dumb"), Mode::Plain),
        (false, false, true, Some(""), Mode::Plain),
        (false, false, true, None, Mode::Plain),
    ] {
        assert_eq!(Mode::choose(plain, json, terminal, term), mode, "{plain} {json} {terminal} {term:?}");
    }
}
