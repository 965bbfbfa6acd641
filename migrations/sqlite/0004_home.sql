-- Whether the authorities contradict each other on where the mailbox lives, and whether its address is a personal account, too.
ALTER TABLE outcome ADD COLUMN conflict INTEGER NOT NULL DEFAULT 0 CHECK (conflict IN (0, 1));
ALTER TABLE outcome ADD COLUMN personal INTEGER NOT NULL DEFAULT 0 CHECK (personal IN (0, 1));
