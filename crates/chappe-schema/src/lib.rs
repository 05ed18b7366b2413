//! TL schemas: parser, facts about methods, dynamic codec, layers.
