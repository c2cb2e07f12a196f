// SPDX-License-Identifier: MIT
#ifndef HOST_FMT
#error "dormouse did not link the fmt::fmt of its host"
#endif
