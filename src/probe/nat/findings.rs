//! The finding codes of `nat`.

crate::codes! {
    NONE = "nat.none", "Nothing translates: this machine's own address is the one that is seen outside.";
    TRANSLATED = "nat.translated", "This network is seen outside under another, public address.";
    CARRIER = "nat.carrier", "A carrier's translator stands on the way (CGNAT): nobody here can forward a port.";
    DOUBLE = "nat.double", "Two translators stand on the way: outside another address is seen than the router's.";
    OTHER_THAN_ROUTER = "nat.other_than_router", "Outside another address is seen than the one that the gateway names, or it names none: another translator follows, or another way out.";
    NOT_PUBLIC = "nat.not_public", "The address that is seen is none of the internet: another translator follows, or the STUN server stands inside.";
    SEVERAL = "nat.several_addresses", "Servers see this network under several addresses.";
    SAME_MAPPING = "nat.mapping_independent", "Every server sees the same address and port.";
    OTHER_MAPPING = "nat.mapping_dependent", "Each destination sees another port (a symmetric translator).";
    BEHAVIOUR_UNKNOWN = "nat.behaviour_unknown", "How translators map or filter could not be asked.";
    FILTERING = "nat.filtering", "On what it depends who may send to a port that was opened from inside.";
    LIVES = "nat.binding_lives", "An idle UDP flow is open from outside for as long as is asked.";
    SHORT = "nat.binding_short", "An idle UDP flow is closed from outside sooner than is asked.";
    LIFETIME_UNKNOWN = "nat.binding_unknown", "How long an idle UDP flow is open from outside could not be told.";
    SILENT = "nat.not_told", "No STUN server says how this network looks from outside.";
    ONE_SILENT = "nat.server_silent", "A STUN server gives no answer, and another one does.";
    FAMILY_UNUSED = "nat.family_unused", "STUN servers have addresses of a family that this network does not have.";
}
