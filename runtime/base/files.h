// Files as the runtime meets them: whole files in memory, files that appear whole or not at all,
// locks, and the places where a relative path is sought.
#pragma once
#include "runtime/base/fault.h"
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

/// A file mapped for reading; empty files have size 0.
class MappedFile {
public:
    MappedFile() = default;
    MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();
    bool open(const std::string& path, Fault& fault);
    std::string_view bytes() const { return {data_, size_}; }

private:
    const char* data_ = nullptr;
    size_t size_ = 0;
};

/// A file that replaces `path` when all of it is on the disk; until then, and after a failure,
/// `path` is as it was.
class ReplacingFile {
public:
    explicit ReplacingFile(std::string path) : path_(std::move(path)) {}
    ~ReplacingFile();
    ReplacingFile(const ReplacingFile&) = delete;
    ReplacingFile& operator=(const ReplacingFile&) = delete;
    bool open(Fault& fault);
    bool write(const void* bytes, size_t size, Fault& fault);
    bool write(std::string_view text, Fault& fault) { return write(text.data(), text.size(), fault); }
    /// Flushes, renames, and flushes the folder.
    bool commit(Fault& fault);

private:
    bool flush(Fault& fault);
    std::string path_, temporary_;
    std::string buffer_;
    int descriptor_ = -1;
};

/// An exclusive lock on `path`.lock for as long as this lives; the file is removed with it.
class FileLock {
public:
    FileLock() = default;
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    bool acquire(const std::string& path, Fault& fault);

private:
    std::string path_;
    int descriptor_ = -1;
};

/// Content of a short file, "" if it cannot be read.
std::string read_small_file(const std::string& path);
/// "No such file or directory".
std::string system_error();
bool is_folder(const std::string& path);
bool exists(const std::string& path);
/// Where this program's file lies; "" if that is not known.
std::string own_folder();
/// "" for the current folder.
std::string folder_of(const std::string& path);
std::string joined(const std::string& folder, std::string_view path);

/// Where a relative path is sought, in this order.
struct Places {
    std::vector<std::string> folders;
    bool confined = false; // nothing outside of them is read, wherever links lead
    /// --data, GRADC_DATA, the current folder, the trainer's own.
    static Places standard(const std::string& data_folder);
    /// These alone; "" is none.
    static Places confined_to(const std::vector<std::string>& folders);
    /// The path under which it exists; otherwise a fault that names all places.
    std::string find(std::string_view path, Fault& fault) const;

private:
    bool contain(const std::string& found, Fault& fault) const;
};

} // namespace gradc::runtime
