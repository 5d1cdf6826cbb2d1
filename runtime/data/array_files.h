// Arrays with a binary header: IDX (MNIST's format, also gzipped; big endian) and NPY (numpy's).
// Each file is a run of entries along its first axis; the other axes must be those of one entry of
// the column.
#pragma once
#include "runtime/data/column.h"

namespace gradc::runtime {

bool read_idx(const std::string& path, Column& column, Fault& fault);
bool read_npy(const std::string& path, Column& column, Fault& fault);

} // namespace gradc::runtime
