//! The DHCP message itself (RFC 2131, 2; RFC 2132), which dhcpcd keeps as it came.

use super::{Options, text_of};

/// Bytes before the options: the BOOTP header and the magic cookie.
const HEADER: usize = 240;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const PAD: u8 = 0;
const END: u8 = 255;
const CAPTIVE_PORTAL: u8 = 114;
const PROXY_SCRIPT: u8 = 252;

/// dhcpcd's lease (`/var/lib/dhcpcd/INTERFACE.lease`): the server's last answer. What is cut short ends there.
pub fn dhcpcd(message: &[u8]) -> Options {
    let Some(options) = message.get(HEADER..).filter(|_| message.get(HEADER - 4..HEADER) == Some(&COOKIE))
    else {
        return Options::default();
    };
    let text = |code| text_of(value(options, code)?.into_iter().map(Some));
    Options { captive_portal: text(CAPTIVE_PORTAL), proxy_script: text(PROXY_SCRIPT) }
}

/// An option's value: the parts of one that was too long for one piece belong together (RFC 3396).
fn value(mut options: &[u8], code: u8) -> Option<Vec<u8>> {
    let mut whole: Option<Vec<u8>> = None;
    while let Some((kind, rest)) = options.split_first() {
        match *kind {
            PAD => options = rest,
            END => break,
            kind => {
                let Some((part, rest)) =
                    rest.split_first().and_then(|(length, rest)| rest.split_at_checked((*length).into()))
                else {
                    return None; // nobody knows what was to follow
                };
                if kind == code {
                    whole.get_or_insert_default().extend(part);
                }
                options = rest;
            }
        }
    }
    whole
}
