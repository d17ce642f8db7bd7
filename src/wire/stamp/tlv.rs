//! Extensions behind a STAMP packet, type-length-value (RFC 8972 section 4): a sender marks each as
//! unrecognised, and a reflector takes the mark off those that it knows.

use super::BASE_BYTES;

/// Flags, type, length.
pub(super) const HEADER: usize = 4;
/// U: whoever has not cleared it does not know this extension.
pub(super) const UNRECOGNISED: u8 = 0x80;
/// M: its length reaches beyond the packet.
const MALFORMED: u8 = 0x40;
/// Extra Padding (RFC 8972 section 4.1).
pub(super) const EXTRA_PADDING: u8 = 1;
/// Class of Service (RFC 8972 section 4.4).
const CLASS_OF_SERVICE: u8 = 4;
/// Length of its value.
const CLASS_BYTES: usize = 4;
/// A Class of Service TLV, header and value.
pub const CLASS_OF_SERVICE_BYTES: usize = HEADER + CLASS_BYTES;
/// Extensions looked at in one packet: more are copied as they are.
const MOST: usize = 16;

/// What a Class of Service TLV says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassOfService {
    /// DSCP1: what the sender asks the reflector to send its answer with.
    pub wanted: u8,
    /// DSCP2: with which the packet came to the reflector.
    pub arrived: u8,
    /// ECN bits with which it came to the reflector.
    pub ecn: u8,
    /// RP: 0 when the answer is sent as wanted.
    pub reverse: u8,
}

impl ClassOfService {
    fn parse(value: &[u8]) -> Option<Self> {
        let [first, second, ..] = *value.first_chunk::<CLASS_BYTES>()?;
        Some(Self {
            wanted: first >> 2,
            arrived: (first & 3) << 4 | second >> 4,
            ecn: second >> 2 & 3,
            reverse: second & 3,
        })
    }

    fn encode(self) -> [u8; CLASS_BYTES] {
        let first = self.wanted << 2 | self.arrived >> 4 & 3;
        [first, self.arrived << 4 | (self.ecn & 3) << 2 | self.reverse & 3, 0, 0]
    }
}

/// A Class of Service TLV as a sender sends it.
pub(super) fn ask_for_class(dscp: u8) -> [u8; CLASS_OF_SERVICE_BYTES] {
    let value = ClassOfService { wanted: dscp & 63, arrived: 0, ecn: 0, reverse: 0 }.encode();
    let [a, b, c, d] = value;
    [UNRECOGNISED, CLASS_OF_SERVICE, 0, 4, a, b, c, d]
}

/// The class that a datagram's sender asks for; of an answer, what its reflector filled in: `None`
/// when there is no such extension, or when the reflector does not know it.
pub fn class_of_service(datagram: &[u8], answered: bool) -> Option<ClassOfService> {
    let mut at = BASE_BYTES;
    for _ in 0..MOST {
        let [flags, kind, length, value] = next(datagram, at)?;
        let whole = datagram.get(value..value.checked_add(length)?)?;
        if kind == usize::from(CLASS_OF_SERVICE) {
            let known = flags & usize::from(UNRECOGNISED | MALFORMED) == 0;
            return ClassOfService::parse(whole).filter(|_| !answered || known);
        }
        at = value + length;
    }
    None
}

/// What a reflector does with the extensions of the packet that it answers, in place: clears the U
/// flag of those that it knows and sets it on others, and says with which DS field the packet came,
/// where the system tells. Returns the DSCP that the answer is wanted with.
pub(super) fn reflect(answer: &mut [u8], field: Option<u8>) -> Option<u8> {
    let (mut at, mut wanted) = (BASE_BYTES, None);
    for _ in 0..MOST {
        let Some([_, kind, length, value]) = next(answer, at) else { break };
        let whole = answer.get(value..value.saturating_add(length));
        let flags = match (whole, field) {
            (None, _) => MALFORMED,
            (Some(_), _) if kind == usize::from(EXTRA_PADDING) => 0,
            (Some(asked), Some(field)) if kind == usize::from(CLASS_OF_SERVICE) => {
                match ClassOfService::parse(asked) {
                    Some(asked) => {
                        let told =
                            ClassOfService { arrived: field >> 2, ecn: field & 3, reverse: 0, ..asked };
                        if let Some(slot) = answer.get_mut(value..value + CLASS_BYTES) {
                            slot.copy_from_slice(&told.encode());
                        }
                        wanted = Some(asked.wanted);
                        0
                    }
                    None => MALFORMED,
                }
            }
            _ => UNRECOGNISED,
        };
        if let Some(slot) = answer.get_mut(at) {
            *slot = flags;
        }
        if flags == MALFORMED {
            break; // nobody knows where the next one begins
        }
        at = value + length;
    }
    wanted
}

/// Flags, type, length and where the value begins, of the extension at `at`. Zeros are no
/// extension: they are the padding of those who do not know any (RFC 8972 section 4).
fn next(datagram: &[u8], at: usize) -> Option<[usize; 4]> {
    let [flags, kind, high, low] = *datagram.get(at..)?.first_chunk::<HEADER>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    (kind != 0).then_some([flags.into(), kind.into(), length, at + HEADER])
}
