// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Growth of a column within memory limits, and the check of each number.
#include "runtime/data/column.h"
#include "runtime/base/dtype.h"
#include "runtime/base/memory.h"
#include "runtime/base/text.h"
#include <cfloat>
#include <cmath>

namespace gradc::runtime {

Column::Column(const gradc_field& of) : field(&of), entry_elements(element_count(entry_shape(), entry_rank())) {
    if (is_text(of)) dictionary = Dictionary::of_characters(of.alphabet, of.other != 0);
}

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

bool Column::can_map(int64_t bytes_between, bool are_narrow) const {
    return entries == 0 || (!mapped.empty() && distance == bytes_between && narrow == are_narrow);
}

void Column::map(MappedFile file, const unsigned char* first, int64_t count, int64_t bytes_between, bool are_narrow) {
    distance = bytes_between, narrow = are_narrow;
    mapped.push_back({std::move(file), first, entries});
    entries += count;
}

bool Column::own(const std::string& path, Error& error) {
    if (mapped.empty()) return true;
    if (!make_room(entries, path, error)) return false;
    owned.resize(size_t(entries * entry_bytes()));
    copy_entries(0, entries, owned.data());
    mapped.clear();
    return true;
}

void Column::copy_entry(const unsigned char* from, unsigned char* to) const {
    if (!narrow) return void(memcpy(to, from, size_t(entry_bytes())));
    for (int64_t i = 0; i < entry_elements; i++, from += 2, to += 4) {
        uint16_t narrow_number;
        memcpy(&narrow_number, from, 2);
        int32_t number = narrow_number;
        memcpy(to, &number, 4);
    }
}

void Column::copy_entries(int64_t begin, int64_t count, unsigned char* to) const {
    int64_t bytes = entry_bytes();
    if (is_plain()) return void(memcpy(to, data() + begin * bytes, size_t(count * bytes)));
    size_t file = 0;
    for (int64_t entry = begin; entry < begin + count; entry++, to += bytes) {
        while (file + 1 < mapped.size() && mapped[file + 1].begin <= entry) file++;
        copy_entry(mapped[file].first + (entry - mapped[file].begin) * distance, to);
    }
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
