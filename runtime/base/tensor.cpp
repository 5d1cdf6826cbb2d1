// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors are copied by runs: the last axes that lie in C order are one memcpy.
#include "runtime/base/tensor.h"
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"

namespace gradc::runtime {

static int64_t axis_size(const gradc_tensor& tensor, int axis, int64_t rows) {
    return axis == 0 && tensor.has_rows && rows > 0 ? rows : tensor.shape[axis];
}

int64_t tensor_bytes(const gradc_tensor& tensor, int64_t rows) {
    int64_t bytes = element_size(tensor.dtype);
    for (int axis = 0; axis < tensor.rank; axis++) bytes *= axis_size(tensor, axis, rows);
    return bytes;
}

/// The first of the axes that are contiguous; `rank` if not even the last is.
static int first_of_run(const gradc_tensor& tensor, int from) {
    if (tensor.panel > 0) return tensor.rank;
    int64_t expected = 1;
    int axis = tensor.rank;
    while (axis > from && (tensor.strides[axis - 1] == expected || tensor.shape[axis - 1] == 1)) {
        expected *= tensor.shape[--axis];
    }
    return axis;
}

namespace {

/// Visits the tensor's runs in C order; `copy(offset in bytes, bytes)`.
template <class Copy> struct Runs {
    const gradc_tensor& tensor;
    int64_t rows;
    int first;         // of the run's axes
    int64_t run_bytes; // of one run
    Copy copy;

    void visit(int axis, int64_t offset) {
        int64_t size = element_size(tensor.dtype);
        if (tensor.panel > 0 && axis == tensor.rank - 2) return visit_panels(offset);
        if (axis >= first) return copy(offset * size, run_bytes);
        for (int64_t i = 0; i < axis_size(tensor, axis, rows); i++) visit(axis + 1, offset + i * tensor.strides[axis]);
    }
    void visit_panels(int64_t offset) { // [K, N] as [ceil(N/W)][K][W]
        int64_t k_count = axis_size(tensor, tensor.rank - 2, rows), k_size = tensor.shape[tensor.rank - 2];
        int64_t size = element_size(tensor.dtype), width = tensor.panel, n_size = tensor.shape[tensor.rank - 1];
        for (int64_t k = 0; k < k_count; k++) {
            for (int64_t n = 0; n < n_size; n += width) {
                int64_t at = offset + n * k_size + k * width;
                copy(at * size, std::min(width, n_size - n) * size);
            }
        }
    }
};

template <class Copy> void visit_runs(const gradc_tensor& tensor, int64_t rows, Copy copy) {
    int first = first_of_run(tensor, 0);
    if (first == 0 && tensor.has_rows && rows > 0 && rows != tensor.shape[0]) first = 1;
    int64_t run = element_size(tensor.dtype);
    for (int axis = first; axis < tensor.rank; axis++) run *= axis_size(tensor, axis, rows);
    Runs<Copy>{tensor, rows, first, run, copy}.visit(0, 0);
}

} // namespace

void read_tensor(const gradc_tensor& tensor, const unsigned char* arena, unsigned char* to, int64_t rows) {
    visit_runs(tensor, rows, [&, base = arena + tensor.offset](int64_t offset, int64_t bytes) {
        memcpy(to, base + offset, size_t(bytes));
        make_nans_canonical(to, bytes, tensor.dtype);
        to += bytes;
    });
}

void write_tensor(const gradc_tensor& tensor, unsigned char* arena, const unsigned char* from, int64_t rows) {
    visit_runs(tensor, rows, [&, base = arena + tensor.offset](int64_t offset, int64_t bytes) {
        memcpy(base + offset, from, size_t(bytes));
        from += bytes;
    });
}

void clear_tensor(const gradc_tensor& tensor, unsigned char* arena) {
    visit_runs(tensor, 0, [base = arena + tensor.offset](int64_t offset, int64_t bytes) {
        memset(base + offset, 0, size_t(bytes));
    });
}

bool row_is_contiguous(const gradc_tensor& tensor) { return first_of_run(tensor, 1) <= 1; }

void write_row(const gradc_tensor& tensor, unsigned char* to, const unsigned char* from) {
    gradc_tensor row = tensor;
    row.rank = tensor.rank - 1;
    row.shape = tensor.shape + 1;
    row.strides = tensor.strides + 1;
    row.has_rows = 0;
    row.offset = 0;
    write_tensor(row, to, from);
}

uint64_t weights_hash(const gradc_module& module, const unsigned char* arena) {
    Hash hash;
    std::vector<unsigned char> bytes;
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (!is_variable(tensor)) continue;
        bytes.resize(size_t(tensor_bytes(tensor)));
        read_tensor(tensor, arena, bytes.data());
        hash.add(file_name_of(tensor));
        hash.add(int64_t(tensor.dtype));
        hash.add(bytes.data(), bytes.size());
    }
    return hash.value();
}

const gradc_tensor* find_tensor(const gradc_module& module, int32_t role, std::string_view name) {
    for (int32_t t = 0; t < module.tensor_count; t++) {
        if (module.tensors[t].role == role && name == module.tensors[t].name) return &module.tensors[t];
    }
    return nullptr;
}

const gradc_tensor* find_field(const gradc_module& module, const gradc_dataset& dataset, std::string_view name) {
    const gradc_tensor* full = find_tensor(module, GRADC_FIELD, text(dataset.name, '.', name));
    return full ? full : find_tensor(module, GRADC_FIELD, name);
}

} // namespace gradc::runtime
