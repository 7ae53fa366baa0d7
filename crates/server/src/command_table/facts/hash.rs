//! What is to be told about commands on hashes?

use super::{Fact, NONE};

pub(super) const FACTS: &[Fact] = &[
    Fact {
        name: "hdel",
        since: "2.0.0",
        group: "hash",
        categories: "hash",
        keys: "RW delete",
        summary: "Removes fields of a hash, and the hash with its last field.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 field*",
        ..NONE
    },
    Fact {
        name: "hexists",
        since: "2.0.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        keys: "RO",
        summary: "Tells whether a hash has a field.",
        complexity: "O(1)",
        arguments: "k:key@0 field",
        ..NONE
    },
    Fact {
        name: "hexpire",
        since: "7.4.0",
        group: "hash",
        categories: "hash",
        keys: "RW update",
        summary: "Gives fields of a hash a deadline, in seconds from now.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 i:seconds o:condition?{t:nx=NX t:xx=XX t:gt=GT t:lt=LT} \
                b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hexpireat",
        since: "7.4.0",
        group: "hash",
        categories: "hash",
        keys: "RW update",
        summary: "Gives fields of a hash a deadline, as a Unix time in seconds.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 u:unix-time-seconds o:condition?{t:nx=NX t:xx=XX t:gt=GT t:lt=LT} \
                b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hexpiretime",
        since: "7.4.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        keys: "RO access",
        summary: "Answers when fields of a hash expire, as Unix times in seconds.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hget",
        since: "2.0.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        keys: "RO access",
        summary: "Answers the value of a field of a hash.",
        complexity: "O(1)",
        arguments: "k:key@0 field",
        ..NONE
    },
    Fact {
        name: "hgetall",
        since: "2.0.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        tips: "nondeterministic_output_order",
        keys: "RO access",
        summary: "Answers all fields of a hash with their values.",
        complexity: "O(N) for a hash of N fields",
        arguments: "k:key@0",
        ..NONE
    },
    Fact {
        name: "hgetdel",
        since: "8.0.0",
        group: "hash",
        categories: "hash",
        keys: "RW access delete",
        summary: "Answers values of fields of a hash and removes the fields.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hgetex",
        since: "8.0.0",
        group: "hash",
        categories: "hash",
        keys: "RW access update",
        notes: "deadlines of its fields may change",
        summary: "Answers values of fields of a hash and may change when they expire.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 o:expiration?{i:seconds=EX i:milliseconds=PX u:unix-time-seconds=EXAT \
                u:unix-time-milliseconds=PXAT t:persist=PERSIST} b:fields=FIELDS{i:numfields \
                field*}",
        ..NONE
    },
    Fact {
        name: "hincrby",
        since: "2.0.0",
        group: "hash",
        categories: "hash",
        keys: "RW access update",
        summary: "Adds a whole number to the one that a field of a hash holds.",
        complexity: "O(1)",
        arguments: "k:key@0 field i:increment",
        ..NONE
    },
    Fact {
        name: "hincrbyfloat",
        since: "2.6.0",
        group: "hash",
        categories: "hash",
        keys: "RW access update",
        summary: "Adds a decimal number to the one that a field of a hash holds.",
        complexity: "O(1)",
        arguments: "k:key@0 field d:increment",
        ..NONE
    },
    Fact {
        name: "hkeys",
        since: "2.0.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        tips: "nondeterministic_output_order",
        keys: "RO access",
        summary: "Answers the names of all fields of a hash.",
        complexity: "O(N) for a hash of N fields",
        arguments: "k:key@0",
        ..NONE
    },
    Fact {
        name: "hlen",
        since: "2.0.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        keys: "RO",
        summary: "Answers how many fields a hash has.",
        complexity: "O(1)",
        arguments: "k:key@0",
        ..NONE
    },
    Fact {
        name: "hmget",
        since: "2.0.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        keys: "RO access",
        summary: "Answers the values of several fields of a hash.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 field*",
        ..NONE
    },
    Fact {
        name: "hmset",
        since: "2.0.0",
        group: "hash",
        categories: "hash",
        keys: "RW update",
        summary: "Sets several fields of a hash.",
        complexity: "O(N) for N fields given",
        doc_flags: "deprecated",
        deprecated: "4.0.0",
        replaced_by: "`HSET`",
        arguments: "k:key@0 b:data*{field value}",
        ..NONE
    },
    Fact {
        name: "hpersist",
        since: "7.4.0",
        group: "hash",
        categories: "hash",
        keys: "RW update",
        summary: "Takes the deadlines of fields of a hash away.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hpexpire",
        since: "7.4.0",
        group: "hash",
        categories: "hash",
        keys: "RW update",
        summary: "Gives fields of a hash a deadline, in milliseconds from now.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 i:milliseconds o:condition?{t:nx=NX t:xx=XX t:gt=GT t:lt=LT} \
                b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hpexpireat",
        since: "7.4.0",
        group: "hash",
        categories: "hash",
        keys: "RW update",
        summary: "Gives fields of a hash a deadline, as a Unix time in milliseconds.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 u:unix-time-milliseconds o:condition?{t:nx=NX t:xx=XX t:gt=GT t:lt=LT} \
                b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hpexpiretime",
        since: "7.4.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        keys: "RO access",
        summary: "Answers when fields of a hash expire, as Unix times in milliseconds.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hpttl",
        since: "7.4.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        tips: "nondeterministic_output",
        keys: "RO access",
        summary: "Answers how many milliseconds fields of a hash have left.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hrandfield",
        since: "6.2.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        tips: "nondeterministic_output",
        keys: "RO access",
        summary: "Answers fields of a hash that were drawn by chance.",
        complexity: "O(N) for N fields drawn",
        arguments: "k:key@0 b:options?{i:count t:withvalues=WITHVALUES?}",
        ..NONE
    },
    Fact {
        name: "hscan",
        since: "2.8.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        tips: "nondeterministic_output",
        keys: "RO access",
        summary: "Goes through the fields of a hash step by step.",
        complexity: "O(1) for a step, O(N) for all steps over N fields",
        arguments: "k:key@0 i:cursor p:pattern=MATCH? i:count=COUNT? t:novalues=NOVALUES?",
        ..NONE
    },
    Fact {
        name: "hset",
        since: "2.0.0",
        group: "hash",
        categories: "hash",
        keys: "RW update",
        summary: "Sets fields of a hash, which is made if it is not there.",
        complexity: "O(N) for N fields given",
        arguments: "k:key@0 b:data*{field value}",
        ..NONE
    },
    Fact {
        name: "hsetex",
        since: "8.0.0",
        group: "hash",
        categories: "hash",
        keys: "RW update",
        summary: "Sets fields of a hash together with their deadline.",
        complexity: "O(N) for N fields given",
        arguments: "k:key@0 o:condition?{t:fnx=FNX t:fxx=FXX} o:expiration?{i:seconds=EX \
                i:milliseconds=PX u:unix-time-seconds=EXAT u:unix-time-milliseconds=PXAT \
                t:keepttl=KEEPTTL} b:fields=FIELDS{i:numfields b:data*{field value}}",
        ..NONE
    },
    Fact {
        name: "hsetnx",
        since: "2.0.0",
        group: "hash",
        categories: "hash",
        keys: "RW insert",
        summary: "Sets a field of a hash unless it is there.",
        complexity: "O(1)",
        arguments: "k:key@0 field value",
        ..NONE
    },
    Fact {
        name: "hstrlen",
        since: "3.2.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        keys: "RO",
        summary: "Answers how long the value of a field of a hash is.",
        complexity: "O(1)",
        arguments: "k:key@0 field",
        ..NONE
    },
    Fact {
        name: "httl",
        since: "7.4.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        tips: "nondeterministic_output",
        keys: "RO access",
        summary: "Answers how many seconds fields of a hash have left.",
        complexity: "O(N) for N fields named",
        arguments: "k:key@0 b:fields=FIELDS{i:numfields field*}",
        ..NONE
    },
    Fact {
        name: "hvals",
        since: "2.0.0",
        group: "hash",
        flags: "readonly",
        categories: "hash",
        tips: "nondeterministic_output_order",
        keys: "RO access",
        summary: "Answers the values of all fields of a hash.",
        complexity: "O(N) for a hash of N fields",
        arguments: "k:key@0",
        ..NONE
    },
];
