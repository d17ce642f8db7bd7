"""What a configuration allows, as tuples, read from golive's text and from aerleon's for the same request.

stdin:  {"rules": [{"name", "sources", "destinations", "protocol", "ports"}],
         "names": {host: [address]}, "configs": {vendor: golive's text}}
stdout: {vendor: {"golive": [[protocol, source, destination, port, action]], "aerleon": [...] or null}}
"""

import ipaddress
import json
import re
import sys
import xml.etree.ElementTree as xml

from aerleon import api
from aerleon.lib import naming

asked = json.load(sys.stdin)
NAMES = asked["names"]
# ASA's own words for ports, which aerleon writes
ASA_PORTS = {"https": 443}


def address(text):
    network = ipaddress.ip_network(text)
    assert network.num_addresses == 1, text
    return str(network.network_address)


def tuples(protocol, sources, destinations, ports, action):
    """Every pair of one family: a packet has no other."""
    pairs = [(s, d) for s in map(address, sources) for d in map(address, destinations)]
    family = lambda a: ipaddress.ip_address(a).version
    return {(protocol.lower(), s, d, int(p), action) for s, d in pairs if family(s) == family(d) for p in ports}


def nftables(text):
    found = set()
    for line in text.splitlines():
        if "dport" not in line or line.startswith("#"):
            continue
        part = lambda word: re.search(word + r" (?:\{ ([^}]*) \}|(\S+))", line)
        values = lambda word: [v.strip() for v in (part(word)[1] or part(word)[2]).split(",")]
        protocol = re.search(r"(tcp|udp) dport", line)[1]
        action = re.search(r"\b(accept|drop|reject)\b", line)[1]
        found |= tuples(protocol, values("saddr"), values("daddr"), values("dport"), action)
    return found


def iptables(text):
    found = set()
    for line in text.splitlines():
        word = lambda flag: re.search(rf" {flag} (\S+)", line)
        if line.startswith("-A") and (ports := word("--dport") or word("--dports")):
            action = word("-j")[1].lower()
            found |= tuples(word("-p")[1], [word("-s")[1]], [word("-d")[1]], ports[1].split(","), action)
    return found


def asa(text):
    groups, current, found = {}, None, set()
    for line in text.splitlines():
        if head := re.match(r"object(?:-group)? network (\S+)", line):
            current = groups.setdefault(head[1], [])
        elif host := re.match(r" network-object host (\S+)", line):
            current.append(host[1])
        elif fqdn := re.match(r" fqdn (v4|v6) (\S+)", line):
            version = int(fqdn[1][1])
            current += [a for a in NAMES[fqdn[2]] if ipaddress.ip_address(a).version == version]
        elif entry := re.match(r"access-list \S+ (?:line 1 )?extended permit (\w+) (\S+) (\S+) (\S+) (\S+) eq (\w+)", line):
            side = lambda kind, name: [name] if kind == "host" else groups[name]
            found |= tuples(entry[1], side(entry[2], entry[3]), side(entry[4], entry[5]), [ASA_PORTS.get(entry[6], entry[6])], "accept")
    return found


def panos(text):
    values, services, found = {}, {}, set()
    for line in text.splitlines():
        if a := re.match(r"set address (\S+) (fqdn|ip-netmask) (\S+)", line):
            values[a[1]] = NAMES[a[3]] if a[2] == "fqdn" else [a[3]]
        elif s := re.match(r"set service (\S+) protocol (\w+) port (\S+)", line):
            services[s[1]] = (s[2], s[3].split(","))
        elif r := re.match(r"set rulebase .* source \[ (.*?) \] destination \[ (.*?) \] application any service (\S+) action allow", line):
            protocol, ports = services[r[3]]
            flat = lambda names: [v for name in names.split() for v in values[name]]
            found |= tuples(protocol, flat(r[1]), flat(r[2]), ports, "accept")
    return found


def panos_xml(text):
    root = xml.fromstring(text)
    members = lambda entry, path: [m.text for m in entry.findall(f"{path}/member")]
    values = {e.get("name"): e.findtext("ip-netmask") for e in root.iterfind(".//address/entry")}
    groups = {e.get("name"): members(e, "static") for e in root.iterfind(".//address-group/entry")}
    services = {}
    for e in root.iterfind(".//service/entry"):
        protocol = e.find("protocol")[0]
        services[e.get("name")] = (protocol.tag, protocol.findtext("port").split(","))
    found = set()
    for rule in root.iterfind(".//rules/entry"):
        flat = lambda path: [values[m] for name in members(rule, path) for m in groups.get(name, [name])]
        assert rule.findtext("action") == "allow"
        for service in members(rule, "service"):
            protocol, ports = services[service]
            found |= tuples(protocol, flat("source"), flat("destination"), ports, "accept")
    return found


def srx(text):
    book, applications, policies = {}, {}, {}
    for line in text.splitlines():
        if a := re.match(r"set security address-book global address (\S+) (dns-name )?(\S+)", line):
            book[a[1]] = NAMES[a[3]] if a[2] else [a[3]]
        elif a := re.match(r"set applications application (\S+) protocol (\w+) destination-port (\d+)", line):
            applications[a[1]] = (a[2], a[3])
        elif m := re.match(r"set security policies \S+ \S+ \S+ \S+ policy (\S+) match (\S+) (\S+)", line):
            policies.setdefault(m[1], {}).setdefault(m[2], []).append(m[3])
    found = set()
    for name, match in policies.items():
        assert f"policy {name} then permit" in text
        flat = lambda side: [v for n in match[side] for v in book[n]]
        for application in match["application"]:
            protocol, port = applications[application]
            found |= tuples(protocol, flat("source-address"), flat("destination-address"), [port], "accept")
    return found


def srx_tree(text):
    book = dict(re.findall(r"address (\S+) ([0-9a-f.:]+/\d+);", text))
    sets = {n: re.findall(r"address (\S+);", body) for n, body in re.findall(r"address-set (\S+) \{(.*?)\}", text, re.S)}
    terms = {n: re.findall(r"protocol (\w+) destination-port (\d+)", body) for n, body in re.findall(r"application (\S+) \{(.*?)\}", text, re.S)}
    groups = {n: re.findall(r"application (\S+);", body) for n, body in re.findall(r"application-set (\S+) \{(.*?)\}", text, re.S)}
    found = set()
    for match in re.findall(r"policy \S+ \{\s*match \{(.*?)\}\s*then \{\s*permit;", text, re.S):
        side = lambda word: [book[a] for s in re.search(word + r" \[ (.*?) \]", match)[1].split() for a in sets.get(s, [s])]
        application = re.search(r"application (\S+);", match)[1]
        for single in groups.get(application, [application]):
            for protocol, port in terms[single]:
                found |= tuples(protocol, side("source-address"), side("destination-address"), [port], "accept")
    return found


def fortigate(text):
    # FortiOS' own words for nobody
    values, services, found = {("address", "none"): [], ("address6", "none"): []}, {}, set()
    for table, body in re.findall(r"^config firewall (\S+.*?)\n(.*?)^end", text, re.S | re.M):
        for name, settings in re.findall(r"^\s*edit (\S+)\n(.*?)^\s*next", body, re.S | re.M):
            name = name.strip('"')
            settings = dict(re.findall(r"^\s*set (\S+) (.*)$", settings, re.M))
            words = lambda key: re.findall(r'[^"\s]+', settings.get(key, ""))
            if table in ("address", "address6"):
                if "fqdn" in settings:
                    version = 6 if table == "address6" else 4
                    here = NAMES[words("fqdn")[0]]
                    values[table, name] = [a for a in here if ipaddress.ip_address(a).version == version]
                elif table == "address6":
                    values[table, name] = words("ip6")
                else:
                    values[table, name] = ["/".join(words("subnet"))]
            elif table in ("addrgrp", "addrgrp6"):
                kind = table.replace("addrgrp", "address")
                values[kind, name] = [v for m in words("member") for v in values[kind, m]]
            elif table == "service custom":
                ports = lambda key: [p for p in words(key)]
                services[name] = [(key.split("-")[0], ports(key)) for key in ("tcp-portrange", "udp-portrange") if key in settings]
            elif table == "policy":
                assert words("action") == ["accept"], settings
                for suffix, kind in (("", "address"), ("6", "address6")):
                    flat = lambda key: [v for m in words(key + suffix) for v in values[kind, m]]
                    for service in words("service"):
                        for protocol, ports in services[service]:
                            found |= tuples(protocol, flat("srcaddr"), flat("dstaddr"), ports, "accept")
    return found


def windows(text):
    found = set()
    for line in text.splitlines():
        if line.startswith("New-NetFirewallRule"):
            word = lambda flag: re.search(rf" -{flag} (\S+)", line)[1]
            assert word("Direction") == "Outbound" and word("Action") == "Allow"
            found |= tuples(word("Protocol"), word("LocalAddress").split(","), word("RemoteAddress").split(","), word("RemotePort").split(","), "accept")
        elif line.startswith("netsh"):
            word = lambda key: re.search(rf" {key}=(\S+)", line)[1]
            assert word("dir") == "out" and word("action") == "allow"
            found |= tuples(word("protocol"), word("localip").split(","), word("remoteip").split(","), word("remoteport").split(","), "accept")
    return found


def aws(text):
    """A security group names no sender: it is fixed to those machines that bear it."""
    found = set()
    for permission in json.loads(text)["IpPermissions"]:
        assert permission["FromPort"] == permission["ToPort"]
        to = [r["CidrIp"] for r in permission.get("IpRanges", [])] + [r["CidrIpv6"] for r in permission.get("Ipv6Ranges", [])]
        found |= {(permission["IpProtocol"], "", address(a), permission["FromPort"], "accept") for a in to}
    return found


def generate(targets):
    """aerleon's text for the same rules, one after another for each set of options."""
    definitions = {"networks": {}, "services": {}}
    terms = []
    for at, rule in enumerate(asked["rules"]):
        for side in ("sources", "destinations"):
            values = [{"address": a + ("/128" if ":" in a else "/32")} for a in rule[side]]
            definitions["networks"][f"{side.upper()}_{at}"] = {"values": values}
        ports = [{"protocol": rule["protocol"], "port": str(port)} for port in rule["ports"]]
        definitions["services"][f"PORTS_{at}"] = ports
        terms.append({
            "name": f"term-{at}",
            "source-address": f"SOURCES_{at}",
            "destination-address": f"DESTINATIONS_{at}",
            "destination-port": f"PORTS_{at}",
            "protocol": rule["protocol"],
            "action": "accept",
        })
    named = naming.Naming()
    named.ParseDefinitionsObject(definitions, "")
    texts = []
    for target, options in targets:
        policy = {"filename": "request", "filters": [{"header": {"targets": {target: options}}, "terms": terms}]}
        texts += api.Generate([policy], named).values()
    return texts


ZONES = "from-zone trust to-zone untrust"
VENDORS = {
    "nftables": (nftables, nftables, [("nftables", "mixed output")]),
    "iptables": (iptables, iptables, [("iptables", "FORWARD DROP inet"), ("iptables", "FORWARD DROP inet6")]),
    "asa": (asa, asa, [("ciscoasa", "inside_access_in")]),
    "panos": (panos, panos_xml, [("paloalto", ZONES + " mixed")]),
    "fortigate": (fortigate, fortigate, [("fortigate", ZONES)]),
    "junos-srx": (srx, srx_tree, [("srx", ZONES)]),
    "windows": (windows, windows, [("windows_advfirewall", "out inet"), ("windows_advfirewall", "out inet6")]),
    "aws": (aws, None, []),
}

answer = {}
for vendor, (ours, theirs, targets) in VENDORS.items():
    allowed = set().union(*map(theirs, generate(targets))) if theirs else None
    answer[vendor] = {
        "golive": sorted(ours(asked["configs"][vendor])),
        "aerleon": sorted(allowed) if theirs else None,
    }
json.dump(answer, sys.stdout)
