//! Who is on the line? Connections of Redis clients, over the engine and its protocol.
