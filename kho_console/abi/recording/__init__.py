r"""The file of a recording, schema 1: what a machine answered, moment after moment.

The file only grows. All numbers are little endian; `varint` is LEB128, seven bits a byte, lowest
first, at most 64 bits; `text` is UTF-8 with a varint of its bytes before it.

It begins with 16 bytes: `KHO-REC\n`, the schema as u16, six zeros. Records follow one another:

    crc32   u32     of all that follows in this record
    kind    u8
    length  varint  of the body
    body

A record whose checksum does not hold, or that the file ends in, is torn. Whatever follows a torn
record is found again at the next checkpoint, which has a marker; at the end of the file there is
none, and the tail is left out. Kinds that a reader does not know are skipped.

Where a record names another one it holds the distance back from its own first byte to that one's
first byte, a varint; 0 is none. So records refer backwards only, and nothing is ever cyclic.

1 RUN: a recorder has begun. The body is a JSON object: `host`, `release`, `machine`, `page_size`,
`source` (kind and name of what was recorded), `captured_at` (of a fixture, else null),
`description`, `boot` and `console` (its version). What earlier runs knew counts no more.

2 CONTENT: one value. Bytes of the value (varint), base (distance to another CONTENT), codec (u8),
payload. Codec 0: the payload is the value. Codec 1: a zstd frame without magic number; where there
is a base, its value is the raw dictionary. Chains of bases are at most 32 long.

3 MOMENT: the machine was looked at. Monotonic seconds of the machine (f64), microseconds since the
epoch (i64), the count of changes, and for each: the bytes of a key (varint), the key, distance to
the CONTENT that it has from now on, 0 where nothing is known of it any more. What a moment does not
name has stayed as it was. Keys and values are those of `kho_console.source.recording.answers`.
Contents lie before the moment that names them; without that moment they mean nothing.

4 MARK: something happened. Its kind (u8: 1 event, 2 action, 3 finding), monotonic seconds (f64),
microseconds since the epoch (i64), a JSON value to the end of the body.

5 TABLE: a part of all keys with their contents. Bytes (varint) and a zstd frame without magic
number, of the same entries as in MOMENT, distances counted from the table. A key is in the table of
the number crc32(key) modulo 64.

6 CHECKPOINT: all that is known after the last moment, so that a jump reads no more than what
follows it. The marker (16 bytes), counts of moments, events, actions and findings before it
(varints), the last moment's two times as there, distances to the run, to the checkpoint before, to
the last index, the count of tables, a distance to each (0 for an empty one).

7 INDEX: where checkpoints lie. Bytes (varint) and a zstd frame without magic number of: the count
of checkpoints since the last index, the count of all earlier indexes, and for each of both an
entry: distance, the four counts and the two times of the (first) checkpoint there. The entries
ascend. The last checkpoint knows the last index, so opening a file scans nothing but what follows
that checkpoint.
"""
