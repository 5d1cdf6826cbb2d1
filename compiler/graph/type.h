// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of the graph: element and shape. One size is unknown when compiling: `rows`, the rows of the step (N).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gradc {

enum class Dtype : uint8_t { f32, f64, bf16, i32, i64, u8, boolean };

inline bool floating(Dtype e) { return e == Dtype::f32 || e == Dtype::f64 || e == Dtype::bf16; }
inline bool integer(Dtype e) { return !floating(e); }
int64_t bytes(Dtype dtype);
std::string name(Dtype dtype); // "f32", "i32", "bool"

/// The size of the axis N, known at run time only: 1 <= N <= the compiled batch.
inline constexpr int64_t rows = -1;

using Shape = std::vector<int64_t>;

struct Type {
    Dtype dtype = Dtype::f32;
    Shape shape;
    friend bool operator==(const Type&, const Type&) = default;
    int rank() const { return int(shape.size()); }
    bool has_rows() const;
};

/// Product of the sizes with N = `batch`; -1 when it passes 2^63.
int64_t count(const Shape& shape, int64_t batch);
std::string print(const Shape& shape); // "[N, 64]"
std::string print(const Type& type);   // "f32[N, 64]"

/// numpy's rule: last axes align, 1 stretches to a number; N meets only N. False if they do not fit.
bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result);

} // namespace gradc
