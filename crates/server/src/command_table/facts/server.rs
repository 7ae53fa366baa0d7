//! What is to be told about commands on the server?

use super::{Fact, NONE};

pub(super) const FACTS: &[Fact] = &[
    Fact {
        name: "acl",
        since: "6.0.0",
        group: "server",
        summary: "Holds commands about users.",
        complexity: "That of its subcommand",
        ..NONE
    },
    Fact {
        name: "acl|help",
        since: "6.0.0",
        group: "server",
        flags: "loading stale",
        summary: "Tells what the subcommands are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "acl|whoami",
        since: "6.0.0",
        group: "server",
        flags: "noscript loading stale",
        summary: "Answers the user of this connection.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "cluster",
        since: "3.0.0",
        group: "cluster",
        summary: "Holds commands about clusters.",
        complexity: "That of its subcommand",
        ..NONE
    },
    Fact {
        name: "cluster|help",
        since: "5.0.0",
        group: "cluster",
        flags: "loading stale",
        summary: "Tells what the subcommands are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "cluster|info",
        since: "3.0.0",
        group: "cluster",
        flags: "stale",
        tips: "nondeterministic_output",
        summary: "Answers the state of the cluster.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "cluster|myid",
        since: "3.0.0",
        group: "cluster",
        flags: "stale",
        summary: "Answers the name of this node.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "command",
        since: "2.8.13",
        group: "server",
        flags: "loading stale",
        categories: "connection",
        tips: "nondeterministic_output_order",
        summary: "Answers what is known of all commands.",
        complexity: "O(N) for N commands",
        ..NONE
    },
    Fact {
        name: "command|count",
        since: "2.8.13",
        group: "server",
        flags: "loading stale",
        categories: "connection",
        summary: "Answers how many commands there are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "command|docs",
        since: "7.0.0",
        group: "server",
        flags: "loading stale",
        categories: "connection",
        tips: "nondeterministic_output_order",
        summary: "Answers what commands do and which arguments they take.",
        complexity: "O(N) for N commands",
        arguments: "command-name?*",
        ..NONE
    },
    Fact {
        name: "command|getkeys",
        since: "2.8.13",
        group: "server",
        flags: "loading stale",
        categories: "connection",
        summary: "Answers which arguments of a command are keys.",
        complexity: "O(N) for N arguments",
        arguments: "command arg?*",
        ..NONE
    },
    Fact {
        name: "command|getkeysandflags",
        since: "7.0.0",
        group: "server",
        flags: "loading stale",
        categories: "connection",
        summary: "Answers which arguments of a command are keys and what happens to them.",
        complexity: "O(N) for N arguments",
        arguments: "command arg?*",
        ..NONE
    },
    Fact {
        name: "command|help",
        since: "5.0.0",
        group: "server",
        flags: "loading stale",
        categories: "connection",
        summary: "Tells what the subcommands are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "command|info",
        since: "2.8.13",
        group: "server",
        flags: "loading stale",
        categories: "connection",
        tips: "nondeterministic_output_order",
        summary: "Answers what is known of commands.",
        complexity: "O(N) for N commands",
        arguments: "command-name?*",
        ..NONE
    },
    Fact {
        name: "command|list",
        since: "7.0.0",
        group: "server",
        flags: "loading stale",
        categories: "connection",
        tips: "nondeterministic_output_order",
        summary: "Answers the names of commands.",
        complexity: "O(N) for N commands",
        arguments: "o:filterby=FILTERBY?{module-name=MODULE category=ACLCAT p:pattern=PATTERN}",
        ..NONE
    },
    Fact {
        name: "config",
        since: "2.0.0",
        group: "server",
        summary: "Holds commands about the parameters of the server.",
        complexity: "That of its subcommand",
        ..NONE
    },
    Fact {
        name: "config|get",
        since: "2.0.0",
        group: "server",
        flags: "admin noscript loading stale",
        summary: "Answers values of parameters.",
        complexity: "O(N) for N parameters",
        arguments: "parameter*",
        ..NONE
    },
    Fact {
        name: "config|help",
        since: "5.0.0",
        group: "server",
        flags: "loading stale",
        summary: "Tells what the subcommands are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "config|resetstat",
        since: "2.0.0",
        group: "server",
        flags: "admin noscript loading stale",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        summary: "Lets the counts of INFO begin anew.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "config|rewrite",
        since: "2.8.0",
        group: "server",
        flags: "admin noscript loading stale",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        summary: "Writes the parameters into the configuration file.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "config|set",
        since: "2.0.0",
        group: "server",
        flags: "admin noscript loading stale",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        summary: "Sets parameters while the server runs.",
        complexity: "O(N) for N parameters",
        arguments: "b:data*{parameter value}",
        ..NONE
    },
    Fact {
        name: "dbsize",
        since: "1.0.0",
        group: "server",
        flags: "readonly",
        categories: "keyspace",
        tips: "request_policy:all_shards response_policy:agg_sum",
        summary: "Answers how many keys the database has.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "debug",
        since: "1.0.0",
        group: "server",
        flags: "admin noscript loading stale",
        summary: "Holds commands for those who test servers.",
        complexity: "That of its subcommand",
        doc_flags: "syscmd",
        ..NONE
    },
    Fact {
        name: "flushall",
        since: "1.0.0",
        group: "server",
        categories: "keyspace dangerous",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        summary: "Removes all keys of all databases.",
        complexity: "O(N) for N keys",
        arguments: "o:flush-type?{t:async=ASYNC>4.0.0 t:sync=SYNC>6.2.0}",
        ..NONE
    },
    Fact {
        name: "flushdb",
        since: "1.0.0",
        group: "server",
        categories: "keyspace dangerous",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        summary: "Removes all keys of the database.",
        complexity: "O(N) for N keys",
        arguments: "o:flush-type?{t:async=ASYNC>4.0.0 t:sync=SYNC>6.2.0}",
        ..NONE
    },
    Fact {
        name: "function",
        since: "7.0.0",
        group: "scripting",
        summary: "Holds commands about functions.",
        complexity: "That of its subcommand",
        ..NONE
    },
    Fact {
        name: "function|flush",
        since: "7.0.0",
        group: "scripting",
        flags: "noscript",
        categories: "scripting",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        summary: "Removes all functions.",
        complexity: "O(N) for N functions",
        arguments: "o:flush-type?{t:async=ASYNC t:sync=SYNC}",
        ..NONE
    },
    Fact {
        name: "function|help",
        since: "7.0.0",
        group: "scripting",
        flags: "loading stale",
        categories: "scripting",
        summary: "Tells what the subcommands are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "info",
        since: "1.0.0",
        group: "server",
        flags: "loading stale",
        categories: "dangerous",
        tips: "nondeterministic_output request_policy:all_shards response_policy:special",
        summary: "Answers what the server knows of itself.",
        complexity: "O(1)",
        arguments: "section?*",
        ..NONE
    },
    Fact {
        name: "memory",
        since: "4.0.0",
        group: "server",
        summary: "Holds commands about memory.",
        complexity: "That of its subcommand",
        ..NONE
    },
    Fact {
        name: "memory|help",
        since: "4.0.0",
        group: "server",
        flags: "loading stale",
        summary: "Tells what the subcommands are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "memory|usage",
        since: "4.0.0",
        group: "server",
        flags: "readonly",
        keys: "RO",
        summary: "Answers how many bytes a key takes.",
        complexity: "O(1)",
        arguments: "k:key@0 i:count=SAMPLES?",
        ..NONE
    },
    Fact {
        name: "script",
        since: "2.6.0",
        group: "scripting",
        summary: "Holds commands about scripts.",
        complexity: "That of its subcommand",
        ..NONE
    },
    Fact {
        name: "script|flush",
        since: "2.6.0",
        group: "scripting",
        flags: "noscript",
        categories: "scripting",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        summary: "Removes all scripts.",
        complexity: "O(N) for N scripts",
        arguments: "o:flush-type>6.2.0?{t:async=ASYNC t:sync=SYNC}",
        ..NONE
    },
    Fact {
        name: "script|help",
        since: "5.0.0",
        group: "scripting",
        flags: "loading stale",
        categories: "scripting",
        summary: "Tells what the subcommands are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "shutdown",
        since: "1.0.0",
        group: "server",
        flags: "admin noscript loading stale no_multi allow_busy",
        summary: "Ends the server.",
        complexity: "O(1)",
        arguments: "o:save-selector?{t:nosave=NOSAVE t:save=SAVE} t:now=NOW>7.0.0? \
                t:force=FORCE>7.0.0? t:abort=ABORT>7.0.0?",
        ..NONE
    },
    Fact {
        name: "swapdb",
        since: "4.0.0",
        group: "server",
        categories: "keyspace dangerous",
        summary: "Exchanges two databases.",
        complexity: "O(N) for N clients that watch keys in them",
        arguments: "i:index1 i:index2",
        ..NONE
    },
    Fact {
        name: "time",
        since: "2.6.0",
        group: "server",
        flags: "loading stale",
        tips: "nondeterministic_output",
        summary: "Answers the time of the server.",
        complexity: "O(1)",
        ..NONE
    },
];
