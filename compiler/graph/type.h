// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of the graph: a dtype and a shape. All sizes are known when compiling but one: `rows`, written N, the number
// of rows of a step.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gradc {

/// The type of one element. `boolean` takes a byte that is 0 or 1.
enum class Dtype : uint8_t { f32, f64, bf16, i32, i64, u8, boolean };

/// True for f32, f64 and bf16: gradients flow through these only.
inline bool floating(Dtype e) { return e == Dtype::f32 || e == Dtype::f64 || e == Dtype::bf16; }
/// True for all other dtypes, `boolean` included.
inline bool integer(Dtype e) { return !floating(e); }
/// Bytes of one element in memory.
int64_t bytes(Dtype dtype);
/// "f32", "i32", "bool": as in model files and in the text of graphs.
std::string name(Dtype dtype);

/// The size of the axis N, known at run time only: 1 <= N <= the compiled batch.
inline constexpr int64_t rows = -1;

/// Sizes of the axes, each at least 1 or `rows`. Empty: a scalar.
using Shape = std::vector<int64_t>;

/// The type of a tensor.
struct Type {
    Dtype dtype = Dtype::f32;
    Shape shape;
    friend bool operator==(const Type&, const Type&) = default;
    /// Number of axes; 0 for a scalar.
    int rank() const { return int(shape.size()); }
    /// True if some axis is N.
    bool has_rows() const;
};

/// Number of elements with N = `batch`; -1 if it passes 2^63.
int64_t count(const Shape& shape, int64_t batch);
/// "[N, 64]".
std::string print(const Shape& shape);
/// "f32[N, 64]"; a scalar is "f32".
std::string print(const Type& type);

/// numpy's rule: axes align at the last one and 1 stretches to any number; N aligns with N alone. Writes the common
/// shape to `result`; false if there is none, and `result` is then undefined.
bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result);

} // namespace gradc
