//! What is to be told about commands on connections?

use super::{Fact, NONE};

pub(super) const FACTS: &[Fact] = &[
    Fact {
        name: "auth",
        since: "1.0.0",
        group: "connection",
        flags: "noscript loading stale no_auth allow_busy",
        categories: "connection",
        summary: "Gives the password that the server asks for.",
        complexity: "O(1)",
        arguments: "username>6.0.0? password",
        ..NONE
    },
    Fact {
        name: "client",
        since: "2.4.0",
        group: "connection",
        summary: "Holds commands about connections.",
        complexity: "That of its subcommand",
        ..NONE
    },
    Fact {
        name: "client|getname",
        since: "2.6.9",
        group: "connection",
        flags: "noscript loading stale",
        categories: "connection",
        summary: "Answers the name of this connection.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "client|help",
        since: "5.0.0",
        group: "connection",
        flags: "loading stale",
        categories: "connection",
        summary: "Tells what the subcommands are.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "client|id",
        since: "5.0.0",
        group: "connection",
        flags: "noscript loading stale",
        categories: "connection",
        summary: "Answers the number of this connection.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "client|info",
        since: "6.2.0",
        group: "connection",
        flags: "noscript loading stale",
        categories: "connection",
        tips: "nondeterministic_output",
        summary: "Answers what is known of this connection.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "client|kill",
        since: "2.4.0",
        group: "connection",
        flags: "admin noscript loading stale",
        categories: "connection",
        summary: "Closes connections.",
        complexity: "O(N) for N connections",
        arguments: "o:filter{old-format/ip:port<2.8.12 o:new-format*{i:client-id=ID>2.8.12? \
                o:client-type=TYPE>2.8.12?{t:normal=NORMAL t:master=MASTER>3.2.0 t:slave=SLAVE \
                t:replica=REPLICA>5.0.0 t:pubsub=PUBSUB} username=USER? addr/ip:port=ADDR? \
                laddr/ip:port=LADDR>6.2.0? o:skipme=SKIPME?{t:yes=YES t:no=NO} \
                i:maxage=MAXAGE>7.4.0?}}",
        ..NONE
    },
    Fact {
        name: "client|list",
        since: "2.4.0",
        group: "connection",
        flags: "admin noscript loading stale",
        categories: "connection",
        tips: "nondeterministic_output",
        summary: "Answers what is known of all connections.",
        complexity: "O(N) for N connections",
        arguments: "o:client-type=TYPE>5.0.0?{t:normal=NORMAL t:master=MASTER t:replica=REPLICA \
                t:pubsub=PUBSUB} i:client-id=ID>6.2.0?*",
        ..NONE
    },
    Fact {
        name: "client|no-evict",
        since: "7.0.0",
        group: "connection",
        flags: "admin noscript loading stale",
        categories: "connection",
        summary: "Spares this connection when memory is short.",
        complexity: "O(1)",
        arguments: "o:enabled{t:on=ON t:off=OFF}",
        ..NONE
    },
    Fact {
        name: "client|no-touch",
        since: "7.2.0",
        group: "connection",
        flags: "noscript loading stale",
        categories: "connection",
        summary: "Lets commands of this connection not count as using keys.",
        complexity: "O(1)",
        arguments: "o:enabled{t:on=ON t:off=OFF}",
        ..NONE
    },
    Fact {
        name: "client|pause",
        since: "3.0.0",
        group: "connection",
        flags: "admin noscript loading stale",
        categories: "connection",
        summary: "Lets commands of clients wait for a time.",
        complexity: "O(1)",
        arguments: "i:timeout o:mode>6.2.0?{t:write=WRITE t:all=ALL}",
        ..NONE
    },
    Fact {
        name: "client|reply",
        since: "3.2.0",
        group: "connection",
        flags: "noscript loading stale",
        categories: "connection",
        summary: "Turns answers to this connection off and on.",
        complexity: "O(1)",
        arguments: "o:action{t:on=ON t:off=OFF t:skip=SKIP}",
        ..NONE
    },
    Fact {
        name: "client|setinfo",
        since: "7.2.0",
        group: "connection",
        flags: "noscript loading stale",
        categories: "connection",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        summary: "Notes which library speaks on this connection.",
        complexity: "O(1)",
        arguments: "o:attr{libname=LIB-NAME libver=LIB-VER}",
        ..NONE
    },
    Fact {
        name: "client|setname",
        since: "2.6.9",
        group: "connection",
        flags: "noscript loading stale",
        categories: "connection",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        summary: "Gives this connection a name.",
        complexity: "O(1)",
        arguments: "connection-name",
        ..NONE
    },
    Fact {
        name: "client|unblock",
        since: "5.0.0",
        group: "connection",
        flags: "admin noscript loading stale",
        categories: "connection",
        summary: "Ends the waiting of another connection.",
        complexity: "O(1)",
        arguments: "i:client-id o:unblock-type?{t:timeout=TIMEOUT t:error=ERROR}",
        ..NONE
    },
    Fact {
        name: "client|unpause",
        since: "6.2.0",
        group: "connection",
        flags: "admin noscript loading stale",
        categories: "connection",
        summary: "Ends the pause of clients.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "echo",
        since: "1.0.0",
        group: "connection",
        flags: "loading stale",
        categories: "connection",
        summary: "Answers what it was given.",
        complexity: "O(1)",
        arguments: "message",
        ..NONE
    },
    Fact {
        name: "hello",
        since: "6.0.0",
        group: "connection",
        flags: "noscript loading stale no_auth allow_busy",
        categories: "connection",
        summary: "Chooses the protocol, and may give a password and a name.",
        complexity: "O(1)",
        arguments: "b:arguments?{i:protover b:auth=AUTH?{username password} clientname=SETNAME?}",
        ..NONE
    },
    Fact {
        name: "ping",
        since: "1.0.0",
        group: "connection",
        categories: "connection",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        summary: "Answers that the server is there.",
        complexity: "O(1)",
        arguments: "message?",
        ..NONE
    },
    Fact {
        name: "quit",
        since: "1.0.0",
        group: "connection",
        flags: "noscript loading stale no_auth allow_busy",
        categories: "connection",
        summary: "Closes this connection.",
        complexity: "O(1)",
        doc_flags: "deprecated",
        deprecated: "7.2.0",
        replaced_by: "closing the connection",
        ..NONE
    },
    Fact {
        name: "reset",
        since: "6.2.0",
        group: "connection",
        flags: "noscript loading stale no_auth allow_busy",
        categories: "connection",
        summary: "Makes this connection as it was at its start.",
        complexity: "O(1)",
        ..NONE
    },
    Fact {
        name: "select",
        since: "1.0.0",
        group: "connection",
        flags: "loading stale",
        categories: "connection",
        summary: "Chooses the database for the commands that follow.",
        complexity: "O(1)",
        arguments: "i:index",
        ..NONE
    },
];
