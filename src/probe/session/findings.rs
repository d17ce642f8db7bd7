//! The finding codes of `session`.

crate::codes! {
    LIVES = "session.lives", "The session was alive at the end of its time.";
    CUT = "session.cut_on_the_way", "Something on the way ended the session: the far end never did.";
    FORGOTTEN = "session.forgotten", "Nothing of the session comes through any more: a firewall on the way forgot or dropped it.";
    ENDED = "session.ended", "The session ended before its time, and the far end can no longer be asked who ended it.";
    BY_FAR_END = "session.ended_by_far_end", "The far end itself ended the session, so the network was not put to the test.";
    TOO_SHORT = "session.too_short", "The session was not held as long as is asked.";
    NOT_BEGUN = "session.not_begun", "The session did not come about, so nothing is known of how long it may live.";
    FAMILY_UNUSED = "session.family_unused", "The far end has addresses of a family that this network does not have; it is reached by the other.";
    NO_ADDRESS = "session.no_address", "The far end's name gives no address.";
}
