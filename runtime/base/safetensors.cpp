// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The checks of the header and the checksum, on reading and on writing.
#include "runtime/base/safetensors.h"
#include "runtime/base/dtype.h"
#include "runtime/base/hash.h"
#include "runtime/base/json.h"
#include "runtime/base/text.h"
#include <algorithm>

namespace gradc::runtime {

static constexpr std::string_view dtypes[] = {"F32", "F64", "BF16", "I32", "I64", "U8", "BOOL", "F16"};

std::string metadata_value(const Metadata& metadata, std::string_view key) {
    for (const auto& [name, value] : metadata) {
        if (name == key) return value;
    }
    return "";
}

void add_metadata(Metadata& metadata, std::string_view key, std::string_view value) {
    metadata.emplace_back(key, value);
}

static int64_t bytes_of(const WrittenTensor& tensor) {
    return element_count(tensor.shape.data(), int(tensor.shape.size())) * element_size(tensor.dtype);
}

/// The checksum covers the header's metadata and tensors, so that a changed step or size is found like a changed
/// number. It leaves out the format, because a newer format may compute it differently.
static bool summed(std::string_view name) { return name != "checksum" && name != "format"; }

static void add_text(Hash& hash, std::string_view value) {
    uint64_t length = value.size();
    hash.add(&length, sizeof length);
    hash.add(value.data(), value.size());
}

static void add_tensor(Hash& hash, std::string_view name, int32_t dtype, const std::vector<int64_t>& shape) {
    add_text(hash, name);
    add_text(hash, dtypes[dtype]);
    hash.add(shape.data(), shape.size() * sizeof(int64_t));
}

static std::string header_of(const std::vector<WrittenTensor>& tensors, const Metadata& metadata) {
    JsonWriter json;
    json.begin_object().key("__metadata__").begin_object();
    for (const auto& [name, value] : metadata) json.key(name).string(value);
    json.end_object();
    int64_t offset = 0;
    for (const WrittenTensor& tensor : tensors) {
        json.key(tensor.name).begin_object().key("dtype").string(dtypes[tensor.dtype]).key("shape").begin_array();
        for (int64_t size : tensor.shape) json.integer(size);
        json.end_array().key("data_offsets").begin_array().integer(offset);
        offset += bytes_of(tensor);
        json.integer(offset).end_array().end_object();
    }
    json.end_object();
    std::string header = json.text();
    header.append((8 - header.size() % 8) % 8, ' '); // numbers begin at a multiple of 8
    return header;
}

/// A name that occurs twice, "" if there is none.
static std::string repeated(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    auto found = std::adjacent_find(names.begin(), names.end());
    return found == names.end() ? "" : *found;
}

bool write_safetensors(const std::string& path, const std::vector<WrittenTensor>& tensors, Metadata metadata,
                       Error& error) {
    std::vector<std::string> names{"__metadata__"};
    for (const WrittenTensor& tensor : tensors) names.push_back(tensor.name);
    if (std::string name = repeated(std::move(names)); !name.empty())
        return error.fail(path, ": error: two tensors have the name ", name);
    Hash checksum;
    std::vector<unsigned char> bytes;
    for (const auto& [name, value] : metadata)
        if (summed(name)) add_text(checksum, name), add_text(checksum, value);
    for (const WrittenTensor& tensor : tensors) {
        bytes.resize(size_t(bytes_of(tensor)));
        tensor.read(bytes.data());
        add_tensor(checksum, tensor.name, tensor.dtype, tensor.shape);
        checksum.add(bytes.data(), bytes.size());
    }
    add_metadata(metadata, "checksum", hexadecimal(checksum.value()));
    std::string header = header_of(tensors, metadata);
    uint64_t length = header.size();
    ReplacingFile file(path);
    if (!file.open(error) || !file.write(&length, 8, error) || !file.write(header, error)) return false;
    for (const WrittenTensor& tensor : tensors) {
        bytes.resize(size_t(bytes_of(tensor)));
        tensor.read(bytes.data());
        if (!file.write(bytes.data(), bytes.size(), error)) return false;
    }
    return file.commit(error);
}

/// A size or an offset.
static bool parse_size(const JsonValue& json, int64_t& size) {
    bool integer = json.kind == JsonValue::Kind::number && json.number >= 0 && json.number <= 0x1p53 &&
                   json.number == double(int64_t(json.number));
    if (integer) size = int64_t(json.number);
    return integer;
}

static bool parse_tensor(const std::string& name, const JsonValue& entry, StoredTensor& tensor) {
    const JsonValue *dtype = entry.find("dtype"), *shape = entry.find("shape"), *place = entry.find("data_offsets");
    if (!dtype || !shape || !place || place->items.size() != 2) return false;
    auto known = std::find(std::begin(dtypes), std::end(dtypes), dtype->string);
    if (known == std::end(dtypes)) return false;
    tensor.name = name;
    tensor.dtype = int32_t(known - std::begin(dtypes));
    if (!parse_size(place->items[0], tensor.begin) || !parse_size(place->items[1], tensor.end)) return false;
    int64_t bytes = element_size(tensor.dtype);
    for (const JsonValue& item : shape->items) {
        int64_t& size = tensor.shape.emplace_back();
        if (!parse_size(item, size) || __builtin_mul_overflow(bytes, size, &bytes)) return false;
    }
    return tensor.end - tensor.begin == bytes;
}

/// Tensors fill the bytes from first to last without gaps, in any order.
static bool fill_payload(const std::vector<StoredTensor>& tensors, int64_t size, std::string& problem) {
    std::vector<const StoredTensor*> ordered;
    for (const StoredTensor& tensor : tensors) ordered.push_back(&tensor);
    std::sort(ordered.begin(), ordered.end(), [](const StoredTensor* a, const StoredTensor* b) {
        return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
    });
    int64_t end = 0;
    for (const StoredTensor* tensor : ordered) {
        if (tensor->begin != end)
            return problem =
                       text(tensor->name, " begins at byte ", tensor->begin, ", but the one before it ends at ", end),
                   false;
        end = tensor->end;
    }
    if (end == size) return true;
    return problem = text("its header states ", end, " bytes of numbers, it has ", size), false;
}

bool SafetensorsFile::parse(std::string_view bytes, std::string& problem) {
    uint64_t length = 0;
    if (bytes.size() < 8) return problem = "it is too short", false;
    memcpy(&length, bytes.data(), 8);
    if (length > bytes.size() - 8 || length > (uint64_t(1) << 31)) {
        return problem = "it is truncated, or not a safetensors file", false;
    }
    JsonValue header;
    if (!read_json(bytes.substr(8, length), header) || header.kind != JsonValue::Kind::object) {
        return problem = "its header is not a JSON object", false;
    }
    payload_ = bytes.substr(8 + length);
    if (std::string name = repeated(header.names); !name.empty())
        return problem = text("its header has ", name, " twice"), false;
    for (size_t i = 0; i < header.names.size(); i++) {
        const std::string& name = header.names[i];
        const JsonValue& entry = header.items[i];
        if (name == "__metadata__") {
            for (size_t m = 0; m < entry.names.size(); m++)
                add_metadata(metadata_, entry.names[m], entry.items[m].string);
            continue;
        }
        StoredTensor tensor;
        if (!parse_tensor(name, entry, tensor)) return problem = text("its entry ", name, " is damaged"), false;
        tensors_.push_back(std::move(tensor));
    }
    return fill_payload(tensors_, int64_t(payload_.size()), problem);
}

bool SafetensorsFile::open(const std::string& path, Error& error) {
    if (!file_.open(path, error)) return false;
    std::string problem;
    if (!parse(file_.bytes(), problem)) return error.fail(path, ": error: damaged: ", problem);
    std::string promised = metadata_value(metadata_, "checksum");
    if (promised.empty()) return true;
    Hash checksum;
    for (const auto& [name, value] : metadata_)
        if (summed(name)) add_text(checksum, name), add_text(checksum, value);
    for (const StoredTensor& tensor : tensors_) {
        add_tensor(checksum, tensor.name, tensor.dtype, tensor.shape);
        checksum.add(numbers(tensor), size_t(tensor.end - tensor.begin));
    }
    if (hexadecimal(checksum.value()) == promised) return true;
    return error.fail(path, ": error: damaged: its checksum is wrong");
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
    for (const StoredTensor& tensor : tensors_) {
        if (tensor.name == name) return &tensor;
    }
    return nullptr;
}

} // namespace gradc::runtime
