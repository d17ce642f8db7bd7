//! NAL units of H.264 (ITU-T H.264, 7.3.1 and 7.4.1) as FLV and RTMP carry them: each after its length.

/// What a send queue parts with last, as OBS orders it: the `nal_ref_idc` of the picture's slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// No other picture needs it: B-frames.
    Disposable,
    /// B-frames that others need.
    Low,
    /// P-frames.
    High,
    /// Keyframes.
    Highest,
}

/// Bytes of an AVC tag before its first NAL unit: frame type and codec, packet type, composition time.
pub const TAG_HEADER: usize = 5;

/// Types that are looked at (table 7-1).
const SLICES: std::ops::RangeInclusive<u8> = 1..=5;
const FILLER: u8 = 12;
const START: [u8; 4] = [0, 0, 0, 1];

/// Least size of a filler unit with its length before it: 4 + header + trailing bits.
pub const LEAST_FILLER: usize = 6;

/// The NAL units of an AVC tag that holds a picture, with lengths of four bytes as `loop.flv` has them.
pub fn units(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = body.get(TAG_HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (unit, after) = after.split_at_checked(length)?;
        rest = after;
        Some(unit)
    })
}

/// Appends the NAL units of an AVC tag, each after a start code instead of its length (annex B).
pub fn start_codes(body: &[u8], out: &mut Vec<u8>) {
    for unit in units(body) {
        out.extend(START);
        out.extend(unit);
    }
}

/// Parameter sets of an AVC decoder configuration record (ISO/IEC 14496-15, 5.3.3.1), each after
/// a start code; as many as are whole.
pub fn parameters(record: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let [_, _, _, _, _, sequence_sets, rest @ ..] = record else { return out };
    let mut rest = rest;
    let mut take = |count: u8, rest: &mut &[u8]| {
        for _ in 0..count {
            let Some((length, after)) = rest.split_first_chunk::<2>() else { return };
            let Some((set, after)) = after.split_at_checked(u16::from_be_bytes(*length).into()) else {
                return;
            };
            out.extend(START);
            out.extend(set);
            *rest = after;
        }
    };
    take(sequence_sets & 31, &mut rest);
    if let Some((picture_sets, after)) = rest.split_first() {
        rest = after;
        take(*picture_sets, &mut rest);
    }
    out
}

/// The priority of a picture: that of its slices, as OBS takes it.
pub fn priority(body: &[u8]) -> Priority {
    let slice = units(body).filter_map(|unit| unit.first()).find(|header| SLICES.contains(&(*header & 31)));
    match slice.map_or(3, |header| header >> 5 & 3) {
        0 => Priority::Disposable,
        1 => Priority::Low,
        2 => Priority::High,
        _ => Priority::Highest,
    }
}

/// Appends a filler unit (type 12, 7.3.2.7) that takes `room` bytes with its length; nothing when there is
/// no room for one. Decoders skip it. It stands after the picture's slices, where the standard wants it.
pub fn fill(body: &mut Vec<u8>, room: usize) {
    let Some(unit) = room.checked_sub(4).filter(|_| room >= LEAST_FILLER) else { return };
    let Ok(length) = u32::try_from(unit) else { return };
    body.extend(length.to_be_bytes());
    body.push(FILLER);
    body.resize(body.len() + unit - 2, 0xFF);
    body.push(0x80);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn filler_has_the_size_that_was_asked_for() {
        for room in 0..40 {
            let mut body = vec![0x27, 1, 0, 0, 0];
            fill(&mut body, room);
            let filler: Vec<&[u8]> = units(&body).collect();
            if room < LEAST_FILLER {
                assert_eq!(body.len(), TAG_HEADER, "no room in {room}");
            } else {
                assert_eq!((body.len(), filler.len()), (TAG_HEADER + room, 1));
                assert_eq!((filler[0][0], filler[0].last()), (12, Some(&0x80)));
            }
        }
    }

    #[test]
    fn a_record_that_is_cut_short_gives_what_it_has() {
        let whole = [1, 77, 0, 31, 255, 0xE1, 0, 2, 0x67, 1, 1, 0, 1, 0x68];
        assert_eq!(parameters(&whole), [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68]);
        for end in 0..whole.len() {
            assert!(parameters(&whole[..end]).len() < 11);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..80)) {
            let taken: usize = units(&body).map(|unit| unit.len() + 4).sum();
            prop_assert!(taken <= body.len());
            priority(&body);
        }
    }
}
