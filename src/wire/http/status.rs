//! What a status says of an upload, by name.

/// For a sentence: "wants a name and password". RFC 9110, 15; RFC 6585.
pub const fn meaning(status: u16) -> &'static str {
    match status {
        200..=299 => "took it",
        300..=399 => "sends us elsewhere",
        401 => "wants a name and password",
        403 => "forbids it",
        404 | 410 => "does not know the address",
        405 => "does not take this verb",
        407 => "a proxy wants a name and password",
        408 => "waited too long for us",
        409 => "has no folder for it",
        411 => "wants the length beforehand, and takes no chunks",
        413 => "takes no body so large",
        415 => "does not take this kind of content",
        417 => "does not say beforehand whether it takes a body",
        429 => "has had too many requests of ours",
        500 | 502..=504 | 508..=599 => "failed",
        501 => "does not know this verb",
        507 => "has no room for it",
        _ => "did not take it",
    }
}

/// What to do about it.
pub const fn remedy(status: u16) -> &'static str {
    match status {
        300..=399 => "name the address that it sends us to in the policy, if that is a place to upload to",
        401 | 403 | 407 => {
            "let the server take uploads to this address without credentials, or name another one"
        }
        404 | 409 | 410 => "check the address in the policy",
        405 | 501 => "set `verb = \"post\"` (or `\"put\"`), or name an address that takes uploads",
        411 | 417 => "name a server that takes bodies in chunks (HTTP/1.1), such as nginx",
        413 | 507 => {
            "raise the server's limit (nginx: client_max_body_size 0), or ask for less in the policy \
             (`seconds`, `at_most_kbps`)"
        }
        408 | 429 | 500 | 502..=504 => "look at the server's log, then run the check again",
        _ => "name an address that takes uploads",
    }
}
