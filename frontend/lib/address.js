/**
 * A page's address with some of its query changed and the rest as it was: { pathname, search } and { name: value } in, text
 * out. A value that is null or empty leaves the address.
 */
export function addressWith({ pathname, search }, changes) {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  return query.size > 0 ? `${pathname}?${query}` : pathname;
}
