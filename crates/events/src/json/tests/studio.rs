//! A studio's event type with a field of every kind, which only the catalogue knows.

use std::sync::LazyLock;

use crate::Catalogue;
use crate::catalogue::tests::compile;

/// Its name.
pub(super) const ALL: &str = "game.all";

const SOURCE: &str = r#"
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

enum Mood { MOOD_UNSPECIFIED = 0; MOOD_GLAD = 1; MOOD_SAD = -2; }

message Plain { int64 n = 1; }

message All {
  option (worldbus.events.v1.event_type) = { number: 1001 name: "game.all" topic: "game" };
  double f_double = 1;
  float f_float = 2;
  int32 f_int32 = 3;
  int64 f_int64 = 4;
  uint32 f_uint32 = 5;
  uint64 f_uint64 = 6;
  sint32 f_sint32 = 7;
  sint64 f_sint64 = 8;
  fixed32 f_fixed32 = 9;
  fixed64 f_fixed64 = 10;
  sfixed32 f_sfixed32 = 11;
  sfixed64 f_sfixed64 = 12;
  bool f_bool = 13;
  string f_string = 14;
  bytes f_bytes = 15;
  Mood f_mood = 16;
  All f_all = 17;
  repeated double r_double = 18;
  repeated int64 r_int64 = 19;
  repeated Mood r_mood = 20;
  repeated All r_all = 21;
  repeated string r_string = 22;
  map<string, int64> m_string = 23;
  map<int32, All> m_int32 = 24;
  map<bool, double> m_bool = 25;
  map<uint64, Mood> m_uint64 = 26;
  optional double o_double = 27;
  optional int32 o_int32 = 28;
  oneof choice { string c_string = 29; uint32 c_uint32 = 30; All c_all = 31; }
  google.protobuf.Any w_any = 40;
  google.protobuf.Duration w_duration = 41;
  google.protobuf.Empty w_empty = 42;
  google.protobuf.FieldMask w_mask = 43;
  google.protobuf.Struct w_struct = 44;
  google.protobuf.Value w_value = 45;
  google.protobuf.ListValue w_list = 46;
  google.protobuf.Timestamp w_timestamp = 47;
  google.protobuf.DoubleValue w_double = 48;
  google.protobuf.Int64Value w_int64 = 49;
  google.protobuf.UInt32Value w_uint32 = 50;
  google.protobuf.BoolValue w_bool = 51;
  google.protobuf.BytesValue w_bytes = 52;
  google.protobuf.NullValue w_null = 53;
  repeated google.protobuf.Value r_value = 54;
}
"#;

/// The catalogue with that type.
pub(super) static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::builtin().with_descriptor_set(&compile(SOURCE, true)).unwrap());
