//! Codes of `portal` findings.

crate::codes! {
    FREE = "portal.free", "The page came back as it is: no captive portal stands before it.";
    REDIRECTED = "portal.redirected", "Instead of the page, something sent us elsewhere: a captive portal.";
    SUBSTITUTED = "portal.substituted", "Another page came back in the place of the one asked for: a captive portal or a filter.";
    LOGIN = "portal.login_required", "The network itself asks for a sign-in (HTTP 511, RFC 6585).";
    MOVED = "portal.moved", "The page's own host sends us on: the policy names an address that does not answer itself.";
    ERROR = "portal.error", "The page could not be had: an error came in its place.";
    NO_ANSWER = "portal.no_answer", "No page came back at all.";
    ADDRESS_DEAD = "portal.address_dead", "One address of the page's host gave no page while another did.";
    NO_ADDRESS = "portal.no_address", "The page's host has no address.";
    API_FREE = "portal.api_free", "The captive portal's own API says that it lets this machine be.";
    API_CAPTIVE = "portal.api_captive", "The captive portal's own API says that it holds this machine.";
    API_FAILED = "portal.api_failed", "The captive portal's API is known and gave no answer that counts.";
    SESSION = "portal.session_lasts", "The portal's session lasts for as long as it is needed.";
    SESSION_SHORT = "portal.session_short", "The portal's session ends before the event does.";
    ALLOWANCE = "portal.allowance", "The portal lets as many bytes pass as are needed.";
    ALLOWANCE_SHORT = "portal.allowance_short", "The portal lets fewer bytes pass than the event's streams send.";
}
