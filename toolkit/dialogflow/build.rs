//! Compiles the `.proto` files into messages, clients and servers, and keeps their description for JSON.

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 5] = [
    "google/cloud/dialogflow/v2/session.proto",
    "google/cloud/dialogflow/v2/context.proto",
    "google/cloud/dialogflow/v2/intent.proto",
    "google/cloud/dialogflow/v2/entity_type.proto",
    "ieum/ml/ml.proto",
];

const FOLDERS: [&str; 2] = ["proto", "../../contracts/proto"];

fn main() -> Result<(), Box<dyn Error>> {
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={folder}");
    }
    // In Rust alone, so that nobody needs protoc.
    let files = protox::compile(FILES, FOLDERS)?;
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    std::fs::write(folder.join("descriptors.bin"), files.encode_to_vec())?;
    let mut config = prost_build::Config::new();
    config.enable_type_names().bytes([
        ".google.cloud.dialogflow.v2.StreamingDetectIntentRequest.input_audio",
        ".ieum.ml.AudioChunk.data",
    ]);
    tonic_prost_build::configure().include_file("packages.rs").compile_fds_with_config(files, config)?;
    Ok(())
}
