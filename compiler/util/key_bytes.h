// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A sequence of numbers as bytes: the key of a map, equal where all numbers are. Writers say before each list how long
// it is, so that no two sequences of fields give the same bytes.
#pragma once
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>

namespace gradc {

class KeyBytes {
public:
    void add(int64_t value) {
        char bytes[sizeof value];
        std::memcpy(bytes, &value, sizeof value);
        bytes_.append(bytes, sizeof value);
    }
    void add(std::initializer_list<int64_t> values) {
        for (int64_t value : values) add(value);
    }
    void add_bits(double value) {
        int64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        add(bits);
    }
    template <class List> void add_list(const List& values) {
        add(int64_t(values.size()));
        for (auto value : values) add(int64_t(value));
    }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

} // namespace gradc
