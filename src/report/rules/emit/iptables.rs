//! iptables: a chain of its own per family, fed to `iptables-restore` without a flush, so that no
//! word of it passes a shell.

use super::script::{self, Script};
use super::{Direction, Site};
use crate::model::Family;
use crate::report::rules::ChangeRequest;

/// A shell script with one quoted here-document per family.
pub fn write(request: &ChangeRequest, direction: Direction, site: &Site, out: &mut Script) {
    let base = site.chain("FORWARD");
    let chain = request.prefix().to_ascii_uppercase();
    for (family, program) in [(Family::V4, "iptables"), (Family::V6, "ip6tables")] {
        let legs: Vec<_> = request.legs().filter(|leg| leg.family == family).collect();
        if legs.is_empty() {
            continue;
        }
        out.line(format!("{program}-restore --noflush <<'END-OF-RULES'"));
        out.line("*filter");
        if direction == Direction::BackOut {
            out.line(format!("-D {base} -j {chain}"));
            out.line(format!("-F {chain}"));
            out.line(format!("-X {chain}"));
        } else {
            out.line(format!(":{chain} - [0:0]"));
            for leg in legs {
                out.about(leg.rule);
                if !out.has_addresses(&leg) {
                    continue;
                }
                for (from, to) in pairs(&leg.sources, &leg.destinations) {
                    let transport = script::transport(leg.rule.transport);
                    for port in &leg.rule.ports {
                        let name = &leg.rule.name;
                        out.line(format!(
                            "-A {chain} -s {from} -d {to} -p {transport} --dport {port} \
                             -m comment --comment {name} -j ACCEPT"
                        ));
                    }
                }
            }
            out.line(format!("-I {base} 1 -j {chain}"));
        }
        out.line("COMMIT");
        out.line("END-OF-RULES");
    }
}

fn pairs<'a, T>(from: &'a [T], to: &'a [T]) -> impl Iterator<Item = (&'a T, &'a T)> {
    from.iter().flat_map(move |from| to.iter().map(move |to| (from, to)))
}
