// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Growth of a column within memory limits, and the check of each number.
#include "runtime/data/column.h"
#include "runtime/base/dtype.h"
#include "runtime/base/memory.h"
#include "runtime/base/text.h"
#include <cfloat>
#include <cmath>

namespace gradc::runtime {

Column::Column(const gradc_field& of) : field(&of) { entry_elements = element_count(entry_shape(), entry_rank()); }

int64_t Column::entry_bytes() const { return entry_elements * element_size(field->stored); }

int64_t Column::rows_within(int64_t from, int64_t to) const {
    int64_t first = (from + stride() - 1) / stride();
    int64_t end = to < window() ? 0 : (to - window()) / stride() + 1;
    return end > first ? end - first : 0;
}

bool Column::make_more_room(int64_t count, const std::string& path, Error& error) {
    int64_t more, wanted;
    if (__builtin_mul_overflow(count, entry_bytes(), &more) ||
        __builtin_add_overflow(int64_t(owned.size()), more, &wanted))
        return fits_memory(path, UINT64_MAX, error);
    if (size_t(wanted) <= owned.capacity()) return true;
    Error lacks;
    uint64_t twice = std::max<uint64_t>(uint64_t(wanted), 2 * owned.capacity());
    bool ample = fits_memory(path, twice, lacks);
    if (!ample && !fits_memory(path, uint64_t(wanted + wanted / 8), error)) return false;
    owned.reserve(ample ? twice : size_t(wanted + wanted / 8));
    return true;
}

unsigned char* Column::grow(int64_t count) {
    size_t before = owned.size();
    size_t wanted = before + size_t(count * entry_bytes());
    if (wanted > owned.capacity()) owned.reserve(std::max(wanted, owned.capacity() * 2));
    owned.resize(wanted);
    entries += count;
    return owned.data() + before;
}

bool store_checked(const gradc_field& field, double number, unsigned char* at, std::string& problem) {
    if (!std::isfinite(number)) {
        problem = text("is ", general(number), ", which is not finite");
        return false;
    }
    if (is_integer(field.stored)) {
        double low, high;
        integer_range(field.stored, low, high);
        if (field.low <= field.high) low = double(field.low), high = double(field.high);
        if (number != std::floor(number)) {
            problem = text("is ", exact(number), ", but must be an integer");
            return false;
        }
        if (number < low || number > high) {
            problem = text("is ", exact(number), ", not in ", int64_t(low), "..", int64_t(high));
            return false;
        }
    } else if (field.stored != GRADC_F64 && std::fabs(number) > FLT_MAX) {
        problem = text("is ", exact(number), ", too large for ", dtype_name(field.stored));
        return false;
    }
    store_element(at, field.stored, number);
    return true;
}

} // namespace gradc::runtime
