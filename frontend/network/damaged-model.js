/** The files of a model do not fit each other, or are not what they should be; the message says where. */
export class DamagedModel extends Error {
  name = "DamagedModel";
}
