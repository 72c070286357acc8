# Gatehouse. No configure step. Switches: CC=clang SAN=address,undefined O=build-dir V=1 DEBUG=1 LTO=1
O ?= build
CC = gcc
PREFIX ?= /usr/local
PKGS = openssl zlib jansson hiredis sqlite3
PKG_CONFIG ?= pkg-config

include mk/flags.mk
include mk/rooms.mk
include mk/lib.mk
include mk/tests.mk
include mk/bench.mk
include mk/tools.mk

.DEFAULT_GOAL := all
# What an interrupted or failed command has half written is not taken for made.
.DELETE_ON_ERROR:
.PHONY: all
all: $(O)/gatehouse
