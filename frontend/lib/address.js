/**
 * A page's address with some of its query changed and the rest as it was: { pathname, search, hash } and { name: value } in,
 * text out. A value that is null or empty leaves the address.
 */
export function addressWith({ pathname, search, hash = "" }, changes) {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  return `${pathname}${query.size > 0 ? `?${query}` : ""}${hash}`;
}
