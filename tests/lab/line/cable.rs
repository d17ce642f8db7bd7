//! A line of 8 Mb/s between two namespaces.

use crate::ground::namespace::Namespace;

/// A line of 8 Mb/s.
pub struct Line {
    pub near: Namespace,
    _router: Namespace,
    pub far: Namespace,
}

/// Where a line has its bottleneck.
pub enum Bottleneck {
    /// At the sender, whose TCP then keeps the queue short (TSQ): a clean line.
    Here,
    /// At a router with a queue of up to 200 ms, which TCP fills and overfills.
    Router,
}

impl Line {
    pub fn new(bottleneck: &Bottleneck) -> Self {
        let (near, router, far) = (Namespace::new(), Namespace::new(), Namespace::new());
        Namespace::join((&near, "up0", &["198.51.100.1/24"]), (&router, "in0", &["198.51.100.2/24"]));
        Namespace::join((&router, "out0", &["203.0.113.1/24"]), (&far, "far0", &["203.0.113.2/24"]));
        near.route("default", "198.51.100.2");
        far.route("default", "203.0.113.1");
        router.forward();
        let run = |namespace: &Namespace, line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            namespace.exec(words[0], &words[1..]);
        };
        let shape =
            |interface| format!("tc qdisc add dev {interface} root tbf rate 8mbit burst 16kb latency 200ms");
        match bottleneck {
            Bottleneck::Here => run(&near, &shape("up0")),
            Bottleneck::Router => run(&router, &shape("out0")),
        }
        // Segments as on a wire: a virtual cable would carry 64 kB at once and the bucket drop them.
        run(&near, "ip link set dev up0 gso_max_size 1514 gso_max_segs 1");
        Self { near, _router: router, far }
    }

    /// Drops or passes everything that comes to the far end or goes from it.
    pub fn interrupt(&self, broken: bool) {
        self.far.rules(if broken {
            "table inet line {
                chain in { type filter hook input priority 0; policy drop; }
                chain out { type filter hook output priority 0; policy drop; }
            }"
        } else {
            "delete table inet line"
        });
    }
}
