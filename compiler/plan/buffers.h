// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The buffers of a module while it is planned: those that programs share by name, and each program's own.
#pragma once
#include "compiler/plan/plan.h"
#include <map>

namespace gradc {

class Buffers {
public:
    explicit Buffers(int64_t batch) : batch_(batch) {}

    /// The shared buffer of this role and name; its type must be the same in all programs.
    Storage shared(loop::Buffer::Role role, const std::string& name, const Type& type);
    Storage constant(const Constant& values, const Type& type);
    /// A fresh one for a program's own use; rows of a multiple of 1 KB are padded.
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
