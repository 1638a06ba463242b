@org.jspecify.annotations.NullMarked
package dev.rowhouse.usage;
