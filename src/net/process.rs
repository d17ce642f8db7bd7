//! What this process leaves behind when it dies, and lets others read while it lives: nothing. And how many
//! sockets it may have.

/// Forbids core dumps of this process, and other processes of the same user to read its memory:
/// both would hold stream keys and tokens. Best effort: where a system refuses, the run goes on.
pub fn keep_memory_private() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    // The limit does not hold where the kernel pipes dumps to a program (core(5)): this does.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Takes as many open files as the system lets this user have, within reason: hundreds of ports asked at
/// once are hundreds of sockets, and a shell usually starts with 1024. Best effort.
pub fn allow_many_sockets() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        const ENOUGH: u64 = 16_384;
        let have = getrlimit(Resource::Nofile);
        let wanted = have.maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
        if have.current.is_some_and(|current| current < wanted) {
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..have });
        }
    }
}
