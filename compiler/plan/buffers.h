// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The buffers of a module during planning: those that programs share by name, and those of one program.
#pragma once
#include "compiler/plan/plan.h"
#include <map>

namespace gradc {

/// Owns the buffers. `batch`: the largest number of rows; sizes are for that many.
class Buffers {
public:
    explicit Buffers(int64_t batch) : batch_(batch) {}

    /// The shared buffer of this role and name. All programs must give it the same type; else an InternalError.
    Storage shared(loop::Buffer::Role role, const std::string& name, const Type& type);
    Storage constant(const Constant& values, const Type& type);
    /// A new buffer for one program. Rows of a multiple of 1 KB are padded by one cache line.
    Storage fresh(const std::string& name, const Type& type);

    std::vector<loop::Buffer>& all() { return buffers_; }
    loop::Buffer::Role role(loop::BufferId id) const { return buffers_[id].role; }
    const std::string& name(loop::BufferId id) const { return buffers_[id].name; }
    int64_t size(loop::BufferId id) const { return buffers_[id].size; } // bytes

private:
    Storage add(loop::Buffer::Role role, const std::string& name, const Type& type, std::vector<int64_t> strides);

    int64_t batch_;
    std::vector<loop::Buffer> buffers_;
    std::map<std::pair<int, std::string>, Storage> shared_;
    std::unordered_multimap<size_t, std::pair<Type, Storage>> constants_; // by a hash of their values
};

} // namespace gradc
