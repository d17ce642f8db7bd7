//! With which Peer Error (section 3.2.10) a golive far end ends a stream itself, so that it does not look cut by
//! the network: SRT's Shutdown has no reason. The draft defines one code alone, 4000, of file mode.

use crate::wire::control::Refusal;

/// "GL", which no other listener's code begins with.
const OURS: u32 = 0x474c_0000;
/// Why a far end ends what is open; the place in this list, from 1, is told. New ones come last.
const REASONS: [Refusal; 4] = [Refusal::Bytes, Refusal::Packets, Refusal::Time, Refusal::Stopping];

/// The code for it; of what ends no open stream the one for being stopped.
pub fn code(why: Refusal) -> u32 {
    let place = (1..).zip(REASONS).find(|(_, reason)| *reason == why).map_or(4, |(place, _)| place);
    OURS | place
}

/// What a golive far end means by a code; `None` of a code that is not its own.
pub fn reason(code: u32) -> Option<Refusal> {
    let place = code.checked_sub(OURS)?.checked_sub(1)?;
    REASONS.get(usize::try_from(place).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_comes_back_and_no_other_code_is_one() {
        for why in REASONS {
            assert_eq!(reason(code(why)), Some(why));
        }
        assert_eq!(reason(code(Refusal::WrongToken)), Some(Refusal::Stopping));
        for other in [0, 4000, OURS, OURS + 5, OURS - 1, u32::MAX] {
            assert_eq!(reason(other), None, "{other:#x}");
        }
    }
}
