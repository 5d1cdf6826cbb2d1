// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// True if a test runs under AddressSanitizer, which obeys no limits of address space and descriptors.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZED true
#endif
#endif
#ifndef ADDRESS_SANITIZED
#define ADDRESS_SANITIZED false
#endif
