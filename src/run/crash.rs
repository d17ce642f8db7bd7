//! What may be said of a panic: where it happened, and its words only where they stand so in the
//! source.
//!
//! Words that were put together while running may hold what golive was working on: the standard
//! library, for one, quotes the whole of a string that was cut amiss, and that may be a stream key.

use std::any::Any;
use std::cell::RefCell;
use std::panic::PanicHookInfo;

use crate::model::text;

const KEPT_BACK: &str = "its words may hold a secret and are kept back";

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Called by a panic hook: one line for people, `golive broke at FILE:LINE:COLUMN: …`; the place is
/// kept for whoever catches the panic on this thread.
pub fn hear(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let place = text::escape(&place).into_owned();
    let said = format!("golive broke at {place}: {}", words(panic.payload()));
    PLACE.set(Some(place));
    said
}

/// A caught panic, in words.
pub(super) fn caught(payload: &(dyn Any + Send)) -> String {
    let place = PLACE.take().map(|place| format!(" at {place}")).unwrap_or_default();
    format!("the probe broke{place}: {}", words(payload))
}

/// Text that stands so in the source is no secret of anybody's.
fn words(payload: &(dyn Any + Send)) -> String {
    let literal = payload.downcast_ref::<&'static str>();
    literal.map_or_else(|| KEPT_BACK.to_owned(), |words| text::escape(words).into_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::Secret;

    /// What a hook and a catcher of this thread say of a panic; other threads' panics are shown as
    /// before.
    fn said(breaking: impl FnOnce() + Send + 'static) -> [String; 2] {
        const THREAD: &str = "breaks on purpose";
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap();
        let heard = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&heard);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() == Some(THREAD) {
                *sink.lock().unwrap() = hear(panic);
            } else {
                before(panic);
            }
        }));
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(breaking)).unwrap_err();
            caught(panic.as_ref())
        });
        let caught = thread.unwrap().join().unwrap();
        let _ = std::panic::take_hook();
        let heard = heard.lock().unwrap().clone();
        [heard, caught]
    }

    #[test]
    fn a_panic_tells_no_secret() {
        const CANARY: &str = "live-key-ä-7f3a9c";
        let cut_amiss = || {
            let key = Secret::from(CANARY.to_owned());
            // the ninth byte is the first half of a letter: the standard library quotes it all
            let _ = key.reveal().get(..1).map(|_| &key.reveal()[..10]);
        };
        #[expect(clippy::panic, reason = "the point of the test")]
        let told = || panic!("the server refused {}", Secret::from(CANARY.to_owned()).reveal());
        for breaking in [Box::new(cut_amiss) as Box<dyn FnOnce() + Send>, Box::new(told)] {
            for said in said(breaking) {
                assert!(said.contains("crash.rs:") && said.contains(KEPT_BACK), "{said}");
                assert!(!said.contains("7f3a9c") && !said.contains("live-key"), "{said}");
            }
        }
    }

    #[test]
    fn golives_own_words_are_said() {
        #[expect(clippy::panic, reason = "the point of the test")]
        let [heard, caught] = said(|| panic!("no such state \u{1b}[31m"));
        assert!(
            heard.contains("no such state \\u{1b}[31m") && heard.starts_with("golive broke at "),
            "{heard}"
        );
        assert!(caught.starts_with("the probe broke at ") && caught.contains("no such state"), "{caught}");
    }
}
