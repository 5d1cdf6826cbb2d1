// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strides and sizes of buffers. A bool takes one byte.
#include "compiler/plan/buffers.h"
#include "compiler/plan/view.h"
#include "compiler/util/check.h"

namespace gradc {

Storage Buffers::add(loop::Buffer::Role role, const std::string& name, const Type& type, std::vector<int64_t> strides) {
    loop::Buffer buffer;
    buffer.name = name;
    buffer.role = role;
    buffer.dtype = type.dtype == Dtype::boolean ? Dtype::u8 : type.dtype;
    buffer.shape = type.shape;
    for (size_t i = 1; i < type.shape.size(); ++i)
        if (type.shape[i] == rows) buffer.shape[i] = batch_;
    buffer.strides = strides;
    int64_t elements = 1;
    for (size_t i = 0; i < strides.size(); ++i) {
        int64_t size = type.shape[i] == rows ? batch_ : type.shape[i];
        elements += (size - 1) * strides[i];
    }
    buffer.size = elements * bytes(buffer.dtype);
    buffers_.push_back(std::move(buffer));
    return {loop::BufferId(buffers_.size() - 1), std::move(strides)};
}

Storage Buffers::shared(loop::Buffer::Role role, const std::string& name, const Type& type) {
    auto found = shared_.find({int(role), name});
    if (found != shared_.end()) {
        const loop::Buffer& known = buffers_[found->second.buffer];
        check(bytes(known.dtype) == bytes(type.dtype) && known.shape.size() == type.shape.size(), "plan",
              "programs differ in the type of " + name);
        return found->second;
    }
    Storage place = add(role, name, type, dense_strides(type.shape, batch_));
    return shared_.emplace(std::pair(int(role), name), place).first->second;
}

Storage Buffers::constant(const Constant& values, const Type& type) {
    std::string_view bits(reinterpret_cast<const char*>(values.values.data()),
                          values.values.size() * sizeof values.values[0]);
    size_t key = std::hash<std::string_view>{}(bits);
    auto [begin, end] = constants_.equal_range(key);
    for (auto each = begin; each != end; ++each)
        if (each->second.first == type && Constant{buffers_[each->second.second.buffer].values} == values)
            return each->second.second;
    Storage place = add(loop::Buffer::Role::constant, "constant", type, dense_strides(type.shape, batch_));
    buffers_[place.buffer].values = values.values;
    constants_.emplace(key, std::pair(type, place));
    return place;
}

Storage Buffers::fresh(const std::string& name, const Type& type) {
    std::vector<int64_t> strides = dense_strides(type.shape, batch_);
    int64_t line = 64 / bytes(type.dtype);
    // Each row begins at a cache line, so that no vector crosses two lines. Padding avoids that all rows map to the
    // same sets of the cache.
    if (strides.size() == 2 || (strides.size() > 2 && type.shape[0] == rows)) {
        if (strides[0] > 2 * line) strides[0] = (strides[0] + line - 1) / line * line;
        if (strides[0] % (16 * line) == 0) strides[0] += line;
    }
    if (strides.size() == 3 && type.shape[0] == rows && strides[1] % (16 * line) == 0 && strides[2] == 1) {
        strides[1] += line;
        strides[0] = strides[1] * type.shape[1];
    }
    return add(loop::Buffer::Role::activation, name, type, std::move(strides));
}

Index linear_index(const Storage& place, const Position& at, Indices& indices) {
    Index where;
    size_t plain = place.panel ? at.size() - 2 : at.size();
    for (size_t i = 0; i < plain; ++i) where = indices.sum(where, indices.scaled(at[i], place.strides[i]));
    if (!place.panel) return where;
    Index panel = indices.quotient(at.back(), place.panel), column = indices.remainder(at.back(), place.panel);
    where = indices.sum(where, indices.scaled(panel, place.depth * place.panel));
    return indices.sum(indices.sum(where, indices.scaled(at[plain], place.panel)), column);
}

} // namespace gradc
