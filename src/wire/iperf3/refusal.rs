//! What a server says instead of measuring, by name.

use std::fmt;

/// Why a server does not measure, or stopped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It measures for somebody else: iperf3 serves one client at a time.
    Busy,
    /// It was stopped, or its own time limit ended the test.
    Terminated,
    /// It sent this error code, and the errno of its system when that came too.
    Error {
        /// `i_errno` of iperf3.
        code: u32,
        /// The system's errno; 0 when there was none.
        errno: u32,
    },
}

impl Refusal {
    /// For a sentence: "is busy with another test".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Busy => "is busy with another test",
            Self::Terminated => "ended the test",
            Self::Error { code, .. } => error(code),
        }
    }

    /// What to do.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Busy | Self::Error { code: 121, .. } => {
                "wait until the other test is over, or take a server of your own"
            }
            Self::Terminated => "ask whoever runs the server what stopped it, then run the check again",
            Self::Error { code: 142, .. } => {
                "take a server that asks for no name and password: golive does not give them to iperf3"
            }
            Self::Error { code: 5..=8 | 20 | 27 | 28, .. } => {
                "ask for less in the policy (`at_most_kbps`, `streams`, `seconds`), or take another server"
            }
            Self::Error { .. } => "look at what the server printed, then run the check again",
        }
    }
}

/// `i_errno` of iperf 3.12's `iperf_api.h`: those that a server may send to a client that
/// uploads. Numbers differ a little between versions beyond 145, never below.
const fn error(code: u32) -> &'static str {
    match code {
        5 => "refused: the test is longer than it allows (IEDURATION)",
        6 => "refused: more streams than it allows (IENUMSTREAMS)",
        7 | 20 => "refused: the block size (IEBLOCKSIZE)",
        8 => "refused: the buffer size (IEBUFSIZE)",
        27 => "refused: the rate is beyond its limit (IETOTALRATE)",
        28 => "refused: its interval for limiting rates (IETOTALINTERVAL)",
        30 => "ended the test: nothing arrived for too long (IEIDLETIMEOUT)",
        102 | 202 => "failed: it cannot listen for data (IELISTEN)",
        104 | 204 => "failed: it did not get a data stream (IEACCEPT)",
        106 => "failed: it did not get the cookie (IERECVCOOKIE)",
        107..=109 => "failed: its control connection broke (IECTRL…)",
        110 | 112 => "failed: it did not understand a message (IEMESSAGE)",
        114 => "failed: it did not understand the parameters (IERECVPARAMS)",
        115..=117 => "failed to exchange results (IERECVRESULTS)",
        119 => "ended the test: it took us for gone (IECLIENTTERM)",
        120 => "ended the test (IESERVERTERM)",
        121 => "is busy with another test (IEACCESSDENIED)",
        131 => "refused: it does not have the protocol (IEPROTOCOL)",
        134 => "refused: the congestion control (IESETCONGESTION)",
        142 => "refused: it asks for a name and password (IEAUTHTEST)",
        200 | 201 => "failed to set up a data stream (IECREATESTREAM)",
        205..=207 => "failed: a data stream broke (IESTREAMREAD)",
        208 => "failed: it does not know a stream of ours (IESTREAMID)",
        _ => "sent an error that has no name here",
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())?;
        match self {
            Self::Error { code, errno: 0 } => write!(f, ", error {code}"),
            Self::Error { code, errno } => write!(f, ", error {code}, errno {errno}"),
            Self::Busy | Self::Terminated => Ok(()),
        }
    }
}
