"""What the assets reach outside this process: the inventory, accounts, worker Lambdas, the evidence bucket."""
