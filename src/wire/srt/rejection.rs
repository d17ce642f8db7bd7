//! Why a listener refuses a caller: section 4.3 of the draft, and the codes that libsrt's
//! documentation defines (`docs/API/rejection-codes.md`).

/// On the wire, a code stands in the Handshake Type field plus this.
const WIRE_OFFSET: u32 = 1000;

/// A listener's reason for refusing, as its number in SRT's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rejection(u32);

impl Rejection {
    /// The listener is full.
    pub const BACKLOG: Self = Self(5);
    /// The passphrases differ.
    pub const BAD_SECRET: Self = Self(10);
    /// Only one side has a passphrase.
    pub const UNSECURE: Self = Self(11);
    /// The service says: not authorised.
    pub const UNAUTHORISED: Self = Self(1401);
    /// The service says: overloaded.
    pub const OVERLOAD: Self = Self(1402);
    /// The service says: no such stream.
    pub const NOT_FOUND: Self = Self(1404);
    /// The service says: somebody else publishes there.
    pub const CONFLICT: Self = Self(1409);

    /// From the number in SRT's API: below 1000 SRT itself, below 2000 predefined for
    /// services, from 2000 the service's own.
    pub const fn from_code(code: u32) -> Self {
        Self(code)
    }

    /// From the Handshake Type field; `None` for what cannot be a rejection.
    pub(super) const fn from_wire(field: u32) -> Option<Self> {
        match field.checked_sub(WIRE_OFFSET) {
            Some(code) => Some(Self(code)),
            None => None,
        }
    }

    /// For the Handshake Type field.
    pub(super) const fn to_wire(self) -> u32 {
        self.0.saturating_add(WIRE_OFFSET)
    }

    /// The number in SRT's API.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// Its name, for a sentence: "bad secret". `None` for a number that nobody defined.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "unknown reason",
            1 => "system function failed",
            2 => "refused by the peer",
            3 => "out of resources",
            4 => "rogue handshake",
            5 => "backlog full",
            6 => "internal error",
            7 => "listener closing",
            8 => "version too old",
            9 => "rendezvous cookie collision",
            10 => "bad secret",
            11 => "unsecure",
            12 => "message API differs",
            13 => "congestion control differs",
            14 => "packet filter differs",
            15 => "group differs",
            16 => "time-out",
            17 => "encryption mode differs",
            1000 => "refused by the service",
            1001 => "stream id key not supported",
            1002 => "bad file path",
            1003 => "host not found",
            1400 => "bad request",
            1401 => "unauthorised",
            1402 => "overload",
            1403 => "forbidden",
            1404 => "not found",
            1405 => "bad mode",
            1406 => "unacceptable",
            1409 => "conflict",
            1415 => "media type not supported",
            1423 => "locked",
            1424 => "failed dependency",
            1500 => "internal server error",
            1501 => "not implemented",
            1502 => "bad gateway",
            1503 => "service down",
            1505 => "version not supported by the service",
            1507 => "no room",
            _ => return None,
        })
    }
}
